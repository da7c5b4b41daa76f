package postgres

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lib/pq"

	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// here is where a value stands, in the tests' statements.
const here = "«»"

// TestBind: a value becomes a parameter where one can stand, and is refused elsewhere.
func TestBind(t *testing.T) {
	for _, tt := range []struct{ sql, want, says string }{
		{"SELECT 1", "SELECT 1", ""},
		{"select «», «»", "select  $1 ,  $2 ", ""},
		{" /* a /* b */ c */ -- d\nSELECT «»;", " /* a /* b */ c */ -- d\nSELECT  $1 ;", ""},
		{"SELECT 'it''s' || «»", "SELECT 'it''s' ||  $1 ", ""},
		{`SELECT 'a\' || «»`, `SELECT 'a\' ||  $1 `, ""},
		{`SELECT E'a\'' || «»`, `SELECT E'a\'' ||  $1 `, ""},
		{`SELECT e'\\' || «»`, `SELECT e'\\' ||  $1 `, ""},
		{"SELECT E'a''b' || «»", "SELECT E'a''b' ||  $1 ", ""},
		{"SELECT E'a' -- x'\n  'b\\'' || «»", "SELECT E'a' -- x'\n  'b\\'' ||  $1 ", ""},
		{`SELECT nameE'a\' || «»`, `SELECT nameE'a\' ||  $1 `, ""},
		{"SELECT $$it's$$ || $a$ $$ ' $b$ $a$ || «»", "SELECT $$it's$$ || $a$ $$ ' $b$ $a$ ||  $1 ", ""},
		{"SELECT a$b$ FROM t WHERE c$b$ = «»", "SELECT a$b$ FROM t WHERE c$b$ =  $1 ", ""},
		{`SELECT "a""b'" = «»`, `SELECT "a""b'" =  $1 `, ""},
		{"SELECT «»- -1 -- the end", "SELECT  $1 - -1 -- the end", ""},
		{"SELECT 1 -- it's\n, «»", "SELECT 1 -- it's\n,  $1 ", ""},
		{"SELECT «»::int", "SELECT  $1 ::int", ""},
		{"SELECT é«»", "SELECT é $1 ", ""},
		{"WITH a AS (SELECT 1) SELECT «»;;\n-- «", "WITH a AS (SELECT 1) SELECT  $1 ;;\n-- «", ""},

		{"SELECT '«»'", "", "stands inside a text in quotes"},
		{"SELECT 'a''«»'", "", "stands inside a text in quotes"},
		{`SELECT E'\'«»'`, "", "stands inside a text in quotes"},
		{"SELECT E'a'\n'\\'«»'", "", "stands inside a text in quotes"},
		{"SELECT U&'«»'", "", "stands inside a text in quotes"},
		{"SELECT $$«»$$", "", "stands inside a text in dollar quotes"},
		{"SELECT $a$ $$«»$a$", "", "stands inside a text in dollar quotes"},
		{`SELECT "«»"`, "", "stands inside a name in quotes"},
		{"SELECT 1 -- «»", "", "stands inside a comment"},
		{"SELECT 1 /* /* */ «» */", "", "stands inside a comment"},
		{"SELECT 'a", "", "a text in quotes isn't closed"},
		{`SELECT E'a\'`, "", "a text in quotes isn't closed"},
		{`SELECT E'\`, "", "a text in quotes isn't closed"},
		{"SELECT $a$ $b$ $A$", "", "a text in dollar quotes isn't closed"},
		{`SELECT "a`, "", "a name in quotes isn't closed"},
		{"SELECT /* /* */", "", "a comment isn't closed"},
		{"SELECT $1, «»", "", "no numbers of their own"},
		{"SELECT $ab", "", "no numbers of their own"},
		{"SELECT 1; SELECT 2", "", "more behind the semicolon"},
		{"SELECT 1; «»", "", "more behind the semicolon"},
		{"SELECT 1; 'a'", "", "more behind the semicolon"},
		{"", "", "no statement"},
		{"-- SELECT", "", "no statement"},
		{"; SELECT 1", "", "no statement before the semicolon"},
		{"«» SELECT 1", "", "begins with none of SELECT INSERT UPDATE DELETE WITH"},
		{"BEGIN", "", "begins with none of"},
		{"COPY jobs FROM STDIN", "", "begins with none of"},
		{"EXPLAIN SELECT 1", "", "begins with none of"},
		{"SELECTION", "", "begins with none of"},
	} {
		got, err := Bind(strings.Split(tt.sql, here))
		if tt.says == "" && (got != tt.want || err != nil) {
			t.Errorf("%s\ngives %q, %v", tt.sql, got, err)
		}
		if e, ok := errors.AsType[*contract.Error](err); tt.says != "" && (!ok || !strings.Contains(err.Error(), tt.says) || e.Kind != contract.Invalid) {
			t.Errorf("%s\ngives %q, %v, want an error with %q", tt.sql, got, err, tt.says)
		}
	}
}

// FuzzBind: whatever it is, it is refused or made a statement whose text is as it was.
func FuzzBind(f *testing.F) {
	for _, seed := range []string{"SELECT «»", "SELECT E'\\''«»", "SELECT $a$«»$a$", "select «» /* -- */ ; ", `WITH "a" AS (SELECT 'b') SELECT «»`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		pieces := strings.Split(sql, here)
		got, err := Bind(pieces)
		if err != nil {
			if _, ok := errors.AsType[*contract.Error](err); !ok || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%T %q", err, err)
			}
			return
		}
		want := pieces[0]
		for i, p := range pieces[1:] {
			want += fmt.Sprintf(" $%d ", i+1) + p
		}
		if got != want {
			t.Errorf("%q gives %q", sql, got)
		}
	})
}

// TestServersOwnWay holds what Bind sees as a value against what the server does, over
// heaps of marks in whatever order: a parameter that the server doesn't see is refused,
// and one that it sees is not.
func TestServersOwnWay(t *testing.T) {
	server := servers.StartPostgres(t)
	config, err := pq.NewConfig(server.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	config.BinaryParameters = true
	l, err := connect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	marks := []string{"'", "''", "E'", `\'`, `\`, "\n", " ", "$$", "$a$", "$", "--", "/*", "*/", `"`, "x", "1", "||", "e", "U&'", "b", ","}
	random := rand.New(rand.NewPCG(1, 2))
	some := func() (sql string) {
		for range random.IntN(6) {
			sql += marks[random.IntN(len(marks))]
		}
		return sql
	}
	const mismatch = "08P01" // the statement has another number of parameters
	seen, hidden := 0, 0
	for range 5_000 {
		before, after := some(), some()
		bound, refused := Bind([]string{"SELECT " + before, after})
		_, err := query(l, "SELECT "+before+" $1 "+after, []driver.Value{"v"})
		answer, _ := errors.AsType[*pq.Error](err)
		switch {
		case err == nil && strings.Contains(before+after, "$1"): // which Bind refuses
		case err == nil:
			if seen++; refused != nil {
				t.Errorf("SELECT %s%s%s is a statement, and is refused: %v", before, here, after, refused)
			}
		case answer == nil:
			t.Fatal(err)
		case answer.Code == mismatch:
			if hidden++; refused == nil {
				t.Errorf("%s has no parameter for the server", bound)
			}
		}
	}
	if seen < 100 || hidden < 100 {
		t.Errorf("only %d values were seen, %d hidden", seen, hidden)
	}
	t.Logf("%d seen, %d hidden", seen, hidden)
}
