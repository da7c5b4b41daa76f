package browser

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// content is what a page was written from, as far as tests hold the page against it.
type content struct {
	Report struct {
		Markers  string `json:"markers"`
		Counts   map[string]int
		Groups   []struct{ Reason, Indexes string }
		Failures []struct {
			Index        int
			Stderr, Node string
		}
		Used struct {
			Each []struct {
				Index int
				Node  string
			}
		}
	}
}

func read(t *testing.T, name string) content {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(folder, name+".html"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(body), `id="data">`)
	text, _, _ = strings.Cut(text, "</script>")
	var c content
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	// picked is how many indexes the page says that it selects, and list which.
	picked = `document.querySelector('#picked b')?.textContent ?? 'all'`
	list   = `selected.hidden ? '' : document.querySelector('#selected code').textContent`
	failed = `document.querySelectorAll('#states button')[2]`
)

// set gives a field of the filter a value as a person would.
func set(field, value string) string {
	v := strconv.Quote(value)
	return field + `.value = ` + v + `, ` + field + `.dispatchEvent(new Event(` + field + `.tagName === 'SELECT' ? 'change' : 'input'))`
}

func TestFilter(t *testing.T) {
	p, c := open(t, "thousand", look{}), read(t, "thousand")
	want := func(what, expression, want string) {
		t.Helper()
		if got := eval[string](p, expression); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("no filter", picked, "all")

	for state, n := range c.Report.Counts {
		button := `[...document.querySelectorAll('#states button')].find(b => b.textContent.includes('` + state + `'))`
		if state == "others" {
			continue
		}
		eval[chromedp.Void](p, button+".click()")
		want(state, picked, strconv.Itoa(n))
		want(state, button+`.getAttribute('aria-pressed')`, "true")
		eval[chromedp.Void](p, button+".click()")
	}
	want("no state", picked, "all")

	// The lists of groups are identity's.
	for _, g := range c.Report.Groups {
		eval[chromedp.Void](p, set("reason", g.Reason))
		want(g.Reason, list, g.Indexes)
		want(g.Reason, `String(document.querySelectorAll('#groups > details').length)`, "1")
	}
	eval[chromedp.Void](p, set("reason", ""))

	node := c.Report.Failures[0].Node
	of := map[int]bool{}
	for _, f := range c.Report.Failures {
		of[f.Index] = f.Node == node
	}
	for _, u := range c.Report.Used.Each {
		of[u.Index] = of[u.Index] || u.Node == node
	}
	eval[chromedp.Void](p, set("node", node))
	want("node", picked, strconv.Itoa(count(of)))
	eval[chromedp.Void](p, failed+".click()") // both
	of = map[int]bool{}
	for _, f := range c.Report.Failures {
		of[f.Index] = f.Node == node
	}
	want("failed on the node", picked, strconv.Itoa(count(of)))

	eval[chromedp.Void](p, "clear.click()")
	want("clear", picked, "all")
	for _, f := range c.Report.Failures {
		of[f.Index] = strings.Contains(f.Stderr, "GRCh38")
	}
	eval[chromedp.Void](p, set("text", "grch38"))
	want("text", picked, strconv.Itoa(count(of)))
	eval[chromedp.Void](p, "clear.click()")

	eval[chromedp.Void](p, set("indexes", "3, 7-9 498-1001"))
	want("indexes", list, "3,7-9,498,499,1000,1001")
	eval[chromedp.Void](p, set("indexes", "9-7"))
	want("bad list", "bad.textContent", "Write indexes as 3,7-9.")
	want("bad list", "indexes.getAttribute('aria-invalid')", "true")
	want("bad list changes nothing", list, "3,7-9,498,499,1000,1001")
	eval[chromedp.Void](p, set("indexes", "5000"))
	want("an index that isn't there", picked, "0")
}

func count(of map[int]bool) (n int) {
	for _, is := range of {
		if is {
			n++
		}
	}
	return n
}

// TestCommands: what is shown for copying names the indexes, and is quoted for a shell.
func TestCommands(t *testing.T) {
	p := open(t, "hostile", look{})
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(p.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted})
		p.must(err)
	}
	eval[chromedp.Void](p, set("indexes", "3,7-9"))
	url := strings.ReplaceAll(read(t, "hostile").Report.Markers, "'", `'\''`)
	want := []string{"3,7-9", "nth reset --markers '" + url + "' --indexes 3,7-9", "nth manifest --markers '" + url + "' --indexes 3,7-9 -- COMMAND…"}
	var got []string
	for i := range want {
		n := strconv.Itoa(i)
		eval[chromedp.Void](p, `document.querySelectorAll('#selected button')[`+n+`].click()`)
		p.must(chromedp.Do(p.ctx, wait(`document.querySelectorAll('#selected button')[`+n+`].textContent === 'Copied'`)))
		got = append(got, eval[string](p, "navigator.clipboard.readText()"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// wait until an expression is true.
func wait(expression string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(0))(ctx, t)
		return chromedp.Void{}, err
	}
}

// TestQueue: of a queue the page tells of its tasks first; who is behind a short name is
// told in full.
func TestQueue(t *testing.T) {
	p := open(t, "queue", look{})
	if got, want := eval[string](p, `sentence.textContent`), "48,210 tasks done · 12 skipped · 31 failed · 10 of them put aside"; got != want {
		t.Errorf("it begins with %q, want %q", got, want)
	}
	headings := eval[string](p, `[...document.querySelectorAll('h2')].filter(e => e.checkVisibility()).map(e => e.textContent).join(', ')`)
	if want := "Tasks of the queue, Workers that failed, Failures by reason, Time"; headings != want {
		t.Errorf("its sections are %q, want %q", headings, want)
	}
	eval[chromedp.Void](p, `document.querySelectorAll('main tbody button[aria-expanded=false]').forEach(b => b.click())`)
	const third = `[...document.querySelectorAll('main tr')].find(e => e.id === 't2')`
	name := eval[string](p, third+`.previousSibling.querySelector('button').textContent`)
	for _, want := range []string{name, "Put aside", "yes, after all its attempts"} {
		if got := eval[string](p, third+`.textContent`); !strings.Contains(got, want) {
			t.Errorf("of the third task %q isn't told: %s", want, got)
		}
	}
}
