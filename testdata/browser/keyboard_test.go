package browser

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// press presses keys.
func (p *tab) press(keys ...string) {
	p.Helper()
	for _, k := range keys {
		p.must(chromedp.Do(p.ctx, chromedp.KeyEvent(k)))
	}
}

// focused names the element that has the focus.
const focused = `(e => e.id || e.getAttribute('aria-label') || e.textContent.slice(0, 20))(document.activeElement)`

// until presses Tab until an element has the focus, and gives what had it on the way.
// Each must show that it has.
func (p *tab) until(name string) []string {
	p.Helper()
	var seen []string
	for range 60 {
		p.press(kb.Tab)
		at := eval[string](p, focused)
		seen = append(seen, at)
		if eval[string](p, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
			p.Errorf("%s doesn't show that it has the focus", at)
		}
		if at == name {
			return seen
		}
	}
	p.Fatalf("Tab doesn't lead to %q, only to %q", name, seen)
	return nil
}

// TestKeyboard goes from the page's top into one failure and back, without a mouse.
func TestKeyboard(t *testing.T) {
	p := open(t, "many", look{})
	want := func(what, expression, part string) {
		t.Helper()
		if got := eval[string](p, expression); !strings.Contains(got, part) {
			t.Errorf("%s: %q, want %q", what, got, part)
		}
	}
	seen := p.until("grid")
	for _, name := range []string{"theme", "reason", "node", "text", "indexes"} {
		if !slices.Contains(seen, name) {
			t.Errorf("on the way from the top to the grid there is no %s: %q", name, seen)
		}
	}
	want("at first", "readout.textContent", "Indexes 0–19:")
	for _, step := range []struct{ key, part string }{
		{kb.ArrowRight, "Indexes 20–39:"},
		{kb.ArrowDown, "Indexes 2420–2439:"},
		{kb.ArrowLeft, "Indexes 2400–2419:"},
		{kb.ArrowUp, "Indexes 0–19:"},
		{kb.ArrowUp, "Indexes 0–19:"},
		{kb.End, "Indexes 99980–99999:"},
		{kb.ArrowDown, "Indexes 99980–99999:"},
		{kb.Home, "Indexes 0–19:"},
		{kb.PageDown, "Indexes 24000–24019:"},
		{"n", " failed"},
	} {
		p.press(step.key)
		want(strconv.Quote(step.key), "readout.textContent", step.part)
		want(strconv.Quote(step.key), "readout.getAttribute('aria-live')", "polite")
	}
	p.press(kb.Enter)
	want("inside", "range.textContent", "All 100,00024000–25999")
	p.press("n")
	want("a failure", "readout.textContent", ": failed")
	p.press(kb.Enter)
	want("its record", "item.querySelector('h3').textContent", "failed")
	want("its stderr", "item.querySelector('pre').textContent", "\n")
	p.press(kb.Escape)
	want("closed", "String(item.hidden)", "true")
	p.press(kb.Escape)
	want("back", "range.textContent", "All 100,000a cell is 20 indexes")

	p.press(kb.Tab, kb.Enter) // the grid as a table
	p.must(chromedp.Do(p.ctx, wait("document.querySelector('#as-table caption') != null")))
	want("table", "document.querySelector('#as-table caption').textContent", "States by range")
	eval[chromedp.Void](p, "document.querySelector('#groups summary').focus()")
	p.press(kb.Enter)
	p.must(chromedp.Do(p.ctx, wait("document.querySelector('#groups tbody button') != null")))
	first := eval[string](p, "document.querySelector('#groups tbody button').textContent")
	p.until(first)
	p.press(" ")
	want("row", "document.querySelector('#groups tbody button').getAttribute('aria-expanded')", "true")
	want("its stderr", "document.querySelector('#groups pre').textContent", "aligning sample "+first)
	p.until("Next")
	p.press(kb.Enter)
	want("second page", "document.querySelector('#groups .pager span').textContent", "26–50 of")
	want("focus stays", focused, "Next")
}
