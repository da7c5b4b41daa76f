package mysql

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

const hintURL = "write mysql://user@host:3306/database?table=nth_tasks&ssl-mode=VERIFY_IDENTITY"

// parameters are those that a URL may have, with the names of MariaDB's and MySQL's own
// programs.
var parameters = []string{"table", "queue", "socket", "ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"}

// variables are those of the programs that are read.
var variables = []string{"MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MYSQL_PWD"}

// The ways to ask who the server is. The programs' own is preferred.
const (
	disabled       = "DISABLED"
	preferred      = "PREFERRED"
	required       = "REQUIRED"
	verifyCA       = "VERIFY_CA"
	verifyIdentity = "VERIFY_IDENTITY"
)

// settings are what a URL and the environment say.
type settings struct {
	user, password     string
	host, port, socket string
	database           string
	table              string
	mode, ca           string
	cert, key          string
}

// where says where the server is.
func (s *settings) where() string { return cmp.Or(s.socket, s.host) }

// parse reads a URL, and what it leaves to the environment. No error has a parameter's
// value in it, let alone the password.
func parse(u *url.URL, getenv func(string) string) (*settings, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("the URL's parameters are malformed")
	}
	for name := range query {
		if !slices.Contains(parameters, name) {
			return nil, fmt.Errorf("unknown parameter %s; there are %s", name, strings.Join(parameters, ", "))
		}
	}
	if query.Has("table") && query.Has("queue") {
		return nil, errors.New("the parameters table and queue: table is for nth's own statements, queue for --take-sql")
	}
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	password, given := u.User.Password()
	if !given {
		password = getenv("MYSQL_PWD")
	}
	s := &settings{user: u.User.Username(), password: password, database: strings.TrimPrefix(u.Path, "/"), table: tableOf(query),
		host: cmp.Or(u.Hostname(), getenv("MYSQL_HOST"), "localhost"), port: cmp.Or(u.Port(), getenv("MYSQL_TCP_PORT"), "3306"), socket: query.Get("socket"),
		mode: strings.ToUpper(query.Get("ssl-mode")), ca: query.Get("ssl-ca"), cert: query.Get("ssl-cert"), key: query.Get("ssl-key")}
	if s.socket == "" && u.Host == "" && getenv("MYSQL_HOST") == "" {
		s.socket = getenv("MYSQL_UNIX_PORT")
	}
	return s, s.check()
}

func (s *settings) check() error {
	switch {
	case s.user == "":
		return errors.New("the URL names no user")
	case s.database == "" || strings.Contains(s.database, "/"):
		return errors.New("the URL names no database")
	case slices.Contains(strings.Split(s.table, "."), "") || strings.ContainsRune(s.table, 0):
		return errors.New("the parameter table: it is a table's name, or a schema's and a table's with a dot between them")
	case s.mode != "" && !slices.Contains([]string{disabled, preferred, required, verifyCA, verifyIdentity}, s.mode):
		return errors.New("the parameter ssl-mode: it is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
	case s.ca != "" && s.mode != "" && s.mode != verifyCA && s.mode != verifyIdentity:
		return errors.New("the parameter ssl-ca: without ssl-mode=VERIFY_CA or VERIFY_IDENTITY nobody asks the authorities")
	case (s.cert == "") != (s.key == ""):
		return errors.New("the parameters ssl-cert and ssl-key: each needs the other")
	}
	if s.mode == "" {
		s.mode = preferred
		if s.ca != "" {
			s.mode = verifyCA
		}
	}
	return nil
}

// address is that of the server, as package net has it.
func (s *settings) address() (network, address string) {
	if s.socket != "" {
		return "unix", s.socket
	}
	return "tcp", net.JoinHostPort(s.host, s.port)
}

// tableOf gives the table that parameters name.
func tableOf(query url.Values) string {
	if query.Has("table") {
		return query.Get("table")
	}
	return DefaultTable
}
