package sqs

import (
	"cmp"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"nth/shim/aws"
	"nth/shim/store/contract"
	"nth/shim/task"
)

// settings is what a URL says, before it is put together.
type settings struct {
	region, endpoint, profile, dead string
	settle                          time.Duration
}

// parameters are those of a URL. Their values are never part of an error.
func parameters() map[string]func(s *settings, value string) error {
	return map[string]func(s *settings, value string) error{
		"region":   func(s *settings, v string) error { s.region = v; return nil },
		"endpoint": func(s *settings, v string) error { s.endpoint = v; return nil },
		"profile":  func(s *settings, v string) error { s.profile = v; return nil },
		"dead":     func(s *settings, v string) error { s.dead = v; return plain(v) },
		"settle": func(s *settings, v string) error {
			var err error
			if s.settle, err = time.ParseDuration(v); err != nil || s.settle < 0 {
				return errors.New("it is a time such as 3m")
			}
			return nil
		},
	}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

func errName() error {
	return errors.New("a queue's name has letters, digits, hyphens and underscores, and may end in .fifo")
}

// plain checks a queue's name.
func plain(name string) error {
	if name = strings.TrimSuffix(name, fifo); name == "" || strings.Trim(name, letters) != "" {
		return errName()
	}
	return nil
}

const fifo = ".fifo"

// longest is the longest lease: SQS gives a message to nobody else for twelve hours
// from its receipt, and no longer (API reference, ChangeMessageVisibility).
const longest = 11*time.Hour + 55*time.Minute

func parse(u *url.URL, o task.Options) (*source, error) {
	set := settings{settle: settle}
	err := contract.Parameters(u, &set, parameters(), "region", "endpoint", "dead", "profile", "settle")
	folder, name := path.Split(u.Path)
	switch {
	case err != nil:
	case u.User != nil:
		err = errors.New("credentials come from the environment, as for S3, not from the URL")
	case u.Host == "" || strings.Trim(folder, "/") == "":
		err = errors.New("the queue is sqs://HOST/ACCOUNT/QUEUE, its own URL with sqs for https")
	case strings.Trim(folder, letters+"/.") != "":
		err = errors.New("the account has other characters than letters and digits")
	case plain(name) != nil:
		err = errName()
	case o.Lease > longest:
		err = errors.New("the lease is longer than SQS's, which ends after 12 hours")
	case set.region != "" && regionOf(u.Hostname()) != "" && set.region != regionOf(u.Hostname()):
		err = errors.New("region= is another one than the host's")
	}
	if err != nil {
		return nil, invalid(err, "")
	}
	getenv := o.Getenv
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	s := newSource(o)
	s.quiet.least = set.settle
	s.identity = aws.New(set.profile, cmp.Or(set.region, regionOf(u.Hostname())), getenv, s.client)
	if err := s.identity.Check(false); err != nil {
		return nil, err
	}
	if s.region = cmp.Or(s.identity.Region(), "us-east-1"); strings.Trim(s.region, letters) != "" {
		return nil, invalid(errors.New("the region has other characters than letters, digits and hyphens"), "")
	}
	s.endpoint, err = locate(u.Host, cmp.Or(set.endpoint, s.identity.Endpoint("sqs")))
	if err != nil {
		return nil, invalid(err, "")
	}
	queue := url.URL{Scheme: "https", Host: u.Host, Path: folder}
	if s.endpoint.Host == u.Host {
		queue.Scheme = s.endpoint.Scheme
	}
	s.queue, s.fifo = queue.String()+name, strings.HasSuffix(name, fifo)
	if set.dead != "" {
		s.dead = queue.String() + set.dead
	}
	if s.dead == s.queue {
		return nil, invalid(errors.New("dead= is the queue itself"), "")
	}
	return s, nil
}

// locate gives the address that is asked: the queue's own, unless another is named.
func locate(host, address string) (*url.URL, error) {
	if address == "" {
		address = host
	}
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the endpoint is not a URL such as http://elasticmq:9324")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the endpoint has more than host, port and path; credentials come from the environment")
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// regionOf gives the region that one of AWS's own hosts serves, "" for others (AWS
// General Reference, "Amazon SQS endpoints and quotas"): sqs.REGION.amazonaws.com,
// sqs.REGION.api.aws, ID.sqs.REGION.vpce.amazonaws.com, and as it was once,
// REGION.queue.amazonaws.com.
func regionOf(host string) string {
	if host == "queue.amazonaws.com" {
		return "us-east-1"
	}
	name, ours := "", false
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"} {
		if name, ours = strings.CutSuffix(host, domain); ours {
			break
		}
	}
	if !ours {
		return ""
	}
	if region, old := strings.CutSuffix(name, ".queue"); old {
		return region
	}
	labels := strings.Split(strings.TrimSuffix(name, ".vpce"), ".")
	for i, label := range labels[:len(labels)-1] {
		if label == "sqs" || label == "sqs-fips" {
			return labels[i+1]
		}
	}
	return ""
}

// Name gives the queue's name for its tasks' markers: region, account and queue. The
// host may be another way to the same queue, and counts only for its region.
func Name(u *url.URL) string {
	return strings.TrimPrefix(path.Join("/", regionOf(u.Hostname()), u.Path), "/")
}
