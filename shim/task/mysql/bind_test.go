package mysql

import (
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nth/shim/store/contract"
	"nth/shim/task/database"
	"nth/testdata/servers"
)

// here is where a value stands, in the tests' statements.
const here = "«»"

var betweenStatements = regexp.MustCompile(`\s*` + statementMark)

// TestBind: a value has a place where one can stand, and is refused elsewhere.
func TestBind(t *testing.T) {
	for _, tt := range []struct{ sql, want, says string }{
		{"SELECT 1", "SELECT 1", ""},
		{"select «», «»", "select  $ ,  $ ", ""},
		{" /* a ' */ -- d'\n# e\"\nSELECT «»;", " /* a ' */ -- d'\n# e\"\nSELECT  $ ", ""},
		{"SELECT 'it''s', «»", "SELECT 'it''s',  $ ", ""},
		{`SELECT 'a\'', «»`, `SELECT 'a\'',  $ `, ""},
		{`SELECT 'a\\', «»`, `SELECT 'a\\',  $ `, ""},
		{`SELECT "a\"'", «»`, `SELECT "a\"'",  $ `, ""},
		{"SELECT `a``'\\` = «»", "SELECT `a``'\\` =  $ ", ""},
		{"SELECT 5--1 + «»", "SELECT 5--1 +  $ ", ""},
		{"SELECT x'0a', b'1', N'é', _latin1'x', é«»", "SELECT x'0a', b'1', N'é', _latin1'x', é $ ", ""},
		{"SELECT 1; ; UPDATE t SET a = «»; ", "SELECT 1|UPDATE t SET a =  $ ", ""},
		{"DELETE FROM t -- it's; the end", "DELETE FROM t -- it's; the end", ""},
		{"SELECT 1 -- the end\n; SELECT ';', «»", "SELECT 1 -- the end|SELECT ';',  $ ", ""},
		{"SELECT id INTO @id FROM t; DELETE FROM t WHERE id = @id AND @`b c` = @@version AND @'@d'", "SET @id = NULL, @`b c` = NULL, @'@d' = NULL|SELECT id INTO @id FROM t|DELETE FROM t WHERE id = @id AND @`b c` = @@version AND @'@d'", ""},
		{"SELECT 'me@here', @a.b", "SET @a.b = NULL|SELECT 'me@here', @a.b", ""},
		{"CALL done(«»); DO 1; SET @x = 1; REPLACE t VALUES (1); WITH a AS (SELECT 1) SELECT 1", "SET @x = NULL|CALL done( $ )|DO 1|SET @x = 1|REPLACE t VALUES (1)|WITH a AS (SELECT 1) SELECT 1", ""},

		{"SELECT '«»'", "", "stands inside a text in quotes"},
		{`SELECT "«»"`, "", "stands inside a text in quotes"},
		{`SELECT '\'«»'`, "", "stands inside a text in quotes"},
		{"SELECT 'a''«»'", "", "stands inside a text in quotes"},
		{"SELECT x'«»'", "", "stands inside a text in quotes"},
		{"SELECT `«»`", "", "stands inside a name in quotes"},
		{"SELECT @`«»`", "", "stands inside a name in quotes"},
		{"SELECT 1 -- «»", "", "stands inside a comment"},
		{"SELECT 1 --«»", "", "stands inside a comment"},
		{"SELECT 1 #«»", "", "stands inside a comment"},
		{"SELECT 1 -- a\r«»", "", "stands inside a comment"},
		{"SELECT 1 /* /* */ '*/ «» '", "", "stands inside a text in quotes"},
		{"SELECT 1 /*/ «» */", "", "stands inside a comment"},
		{"SELECT 'a", "", "a text in quotes isn't closed"},
		{`SELECT 'a\'`, "", "a text in quotes isn't closed"},
		{`SELECT '\`, "", "a text in quotes isn't closed"},
		{"SELECT `a", "", "a name in quotes isn't closed"},
		{"SELECT /*", "", "a comment isn't closed"},
		{"SELECT /*! 1, */ «»", "", "a comment that is executed"},
		{"SELECT /*M!100000 1, */ «»", "", "a comment that is executed"},
		{"SELECT '\x00'", "", "a control character"},
		{"SELECT 1\x01", "", "a control character"},
		{"", "", "no statement"},
		{"-- SELECT", "", "no statement"},
		{"; SELECT 1", "", "no statement before the semicolon"},
		{"«» SELECT 1", "", "begins with none of SELECT INSERT UPDATE DELETE REPLACE WITH SET CALL DO"},
		{"SELECT 1; «»", "", "begins with none of"},
		{"SELECT 1; COMMIT", "", "begins with none of"},
		{"BEGIN", "", "begins with none of"},
		{"SELECTION", "", "begins with none of"},
	} {
		got, err := Bind(strings.Split(tt.sql, here))
		shown := strings.ReplaceAll(betweenStatements.ReplaceAllString(got, "|"), valueMark, "$")
		if tt.says == "" && (strings.TrimSpace(shown) != strings.TrimSpace(tt.want) || err != nil) {
			t.Errorf("%s\ngives %q, %v", tt.sql, shown, err)
		}
		if e, ok := errors.AsType[*contract.Error](err); tt.says != "" && (!ok || !strings.Contains(err.Error(), tt.says) || e.Kind != contract.Invalid) {
			t.Errorf("%s\ngives %q, %v, want an error with %q", tt.sql, got, err, tt.says)
		}
	}
}

// TestLiteral: whatever a value is, it is digits.
func TestLiteral(t *testing.T) {
	for value, want := range map[string]string{"": "_utf8mb4 ''", "a'": "_utf8mb4 0x6127", "\x00": "_utf8mb4 0x00", "\xff": "_binary 0xff", "é": "_utf8mb4 0xc3a9"} {
		if got := fill("<"+valueMark+">"+valueMark, []driver.Value{value, value}); got != "<"+want+">"+want {
			t.Errorf("%q gives %s", value, got)
		}
	}
}

// FuzzBind: whatever it is, it is refused or stays as it was, with a place for each value;
// and what the value is changes nothing of the rest.
func FuzzBind(f *testing.F) {
	for _, seed := range []string{"SELECT «»", `SELECT '\'' «»`, "SELECT `a`«»`b`", "SELECT 1 -- \n; DO «» /* -- */ # ; ", `WITH a AS (SELECT "b") SELECT «», @x, @'y'`} {
		f.Add(seed, "it's \\ \x00\xff; -- ")
	}
	f.Fuzz(func(t *testing.T, sql, value string) {
		pieces := strings.Split(sql, here)
		got, err := Bind(pieces)
		if err != nil {
			if _, ok := errors.AsType[*contract.Error](err); !ok || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%T %q", err, err)
			}
			return
		}
		if n := strings.Count(got, valueMark); n != len(pieces)-1 {
			t.Errorf("%q has %d places", got, n)
		}
		// What is left out are semicolons, and what was put in are the spaces of a value.
		plain := func(s string) string {
			return strings.NewReplacer(";", "", "\n", "", " ", "", statementMark, "", valueMark, "").Replace(s)
		}
		if !strings.HasSuffix(plain(got), plain(strings.Join(pieces, ""))) {
			t.Errorf("%q gives %q", sql, got)
		}
		want := strings.ReplaceAll(got, valueMark, literal(value))
		if filled := fill(got, slices.Repeat([]driver.Value{value}, len(pieces)-1)); filled != want || strings.Trim(strings.TrimPrefix(literal(value), "_"), "_0123456789abcdefx'utm inry") != "" {
			t.Errorf("%q with %q gives %q", sql, value, filled)
		}
	})
}

// TestServersOwnWay holds what Bind sees as a value against what the server does, over heaps
// of marks in whatever order: a parameter that the server doesn't see is refused, and one
// that it sees is not.
func TestServersOwnWay(t *testing.T) {
	server := servers.StartMariaDB(t, odd...)
	l := connected(t, server)
	marks := []string{"'", "''", `"`, `\'`, `\`, "\n", " ", "`", "#", "--", "-- ", "/*", "*/", "x", "1", "+", ",", "@", "@@", "N'", "_latin1", "é", ".", "\r", "$"}
	random := rand.New(rand.NewPCG(1, 2))
	some := func() (sql string) {
		for range random.IntN(6) {
			sql += marks[random.IntN(len(marks))]
		}
		return sql
	}
	seen, hidden := 0, 0
	for range 10_000 {
		before, after := some(), some()
		_, refused := Bind([]string{"SELECT " + before, after})
		prepared, err := l.Prepare("SELECT " + before + " ? " + after)
		if err != nil {
			continue
		}
		n := prepared.NumInput()
		_ = prepared.Close()
		switch {
		case n == 1:
			if seen++; refused != nil {
				t.Errorf("SELECT %s%s%s is a statement, and is refused: %v", before, here, after, refused)
			}
		case n == 0:
			if hidden++; refused == nil {
				t.Errorf("SELECT %s%s%s has no parameter for the server", before, here, after)
			}
		}
	}
	if seen < 100 || hidden < 100 {
		t.Errorf("only %d values were seen, %d hidden", seen, hidden)
	}
	t.Logf("%d seen, %d hidden", seen, hidden)
}

func connected(t testing.TB, server *servers.MariaDB) *database.Link {
	t.Helper()
	u, err := url.Parse(server.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse(u, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := connect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
