package postgres

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lib/pq"
)

const hintURL = "write postgres://user@host:5432/database?table=nth_tasks&sslmode=verify-full"

// parameters are those that libpq's URLs may have and lib/pq knows. Others would be
// sent to the server as settings of the session, a misspelt table= among them, and a
// pooler refuses them.
var parameters = []string{
	"application_name", "connect_timeout", "dbname", "host", "hostaddr", "load_balance_hosts", "options", "passfile", "password", "port",
	"service", "sslcert", "sslkey", "sslmode", "sslnegotiation", "sslrootcert", "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version",
	"target_session_attrs", "user",
}

// variables are those of libpq that lib/pq reads.
var variables = []string{"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE",
	"PGSSLNEGOTIATION", "PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT", "PGSSLSNI", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS"}

// parse reads a URL, and what it leaves to the environment. The table is given in any
// case, and the queue where the URL names one instead. No error has a parameter's value
// in it, let alone the password.
func parse(u *url.URL) (config pq.Config, table, queue string, err error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return config, "", "", errors.New("the URL's parameters are malformed")
	}
	table, queue = DefaultTable, query.Get("queue")
	if query.Has("table") {
		table = query.Get("table")
	}
	both := query.Has("table") && query.Has("queue")
	query.Del("table")
	query.Del("queue")
	if both {
		return config, table, queue, errors.New("the parameters table and queue: table is for nth's own statements, queue for --take-sql")
	}
	if slices.Contains(strings.Split(table, "."), "") || strings.ContainsRune(table, 0) {
		return config, table, queue, errors.New("the parameter table: it is a table's name, or a schema's and a table's with a dot between them")
	}
	settings, err := settingsOf(u, query)
	if err != nil {
		return config, table, queue, err
	}
	var dsn strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&dsn, "%s='%s' ", name, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(settings[name]))
	}
	if config, err = pq.NewConfig(dsn.String()); err != nil {
		return config, table, queue, errors.New(hide(err.Error(), settings))
	}
	// A statement and its parameters go in one message: between two, a pooler may
	// change the session, which then knows nothing of the statement.
	config.BinaryParameters = true
	return config, table, queue, nil
}

// settingsOf gives what a URL sets, with libpq's names. What is empty is not set.
func settingsOf(u *url.URL, query url.Values) (map[string]string, error) {
	password, _ := u.User.Password()
	settings := map[string]string{
		"fallback_application_name": "nth",
		"user":                      u.User.Username(), "password": password,
		"host": u.Hostname(), "port": u.Port(), "dbname": strings.TrimPrefix(u.Path, "/"),
	}
	for name := range query {
		if !slices.Contains(parameters, name) {
			return nil, fmt.Errorf("unknown parameter %s; there are table, queue, %s", name, strings.Join(parameters, ", "))
		}
		settings[name] = query.Get(name)
	}
	maps.DeleteFunc(settings, func(_, value string) bool { return value == "" })
	return settings, nil
}

// hide takes the values out of an error of lib/pq's, which has them in quotation marks.
func hide(message string, settings map[string]string) string {
	for _, value := range settings {
		message = strings.ReplaceAll(message, strconv.Quote(value), "it")
	}
	return strings.TrimPrefix(message, "pq: ")
}
