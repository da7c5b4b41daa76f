package browser

import (
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// cpu gives how many milliseconds of its processor the page's thread has used, which
// other programs on this machine don't lengthen as they do a clock's.
func (p *tab) cpu() float64 {
	p.Helper()
	result, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	p.must(err)
	for _, m := range result.Metrics {
		if m.Name == "TaskDuration" {
			return m.Value * 1000
		}
	}
	p.Fatal("the browser has no TaskDuration")
	return 0
}

// TestMillion: a million indexes open and can be filtered. How long things take is only
// logged: -v shows it.
func TestMillion(t *testing.T) {
	for _, name := range []string{"many", "million"} {
		p := unguarded(t, "ten", look{})
		_, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		p.must(err)
		began := p.cpu()
		p.show(address(name))
		t.Logf("%s: load: %.0f ms, its script %.0f ms by the clock", name, p.cpu()-began, eval[float64](p, `performance.measure('m', 'begin', 'end').duration`))
		for _, step := range []struct{ what, do string }{
			{"filter by a state", failed + ".click()"},
			{"by the most frequent too", "document.querySelector('#states button').click()"},
			{"clear", "clear.click()"},
			{"search a text", set("text", "no space left")},
			{"search on", set("text", "no space left on device")},
			{"by a reason", set("reason", "exit-28")},
			{"open a group", "clear.click(), document.querySelector('#groups details').open = true"},
			{"open a cell", "open(330000 % total)"},
			{"back", "back()"},
			{"other theme", "theme.click()"},
		} {
			before := p.cpu()
			eval[chromedp.Void](p, `(() => { `+step.do+`; return new Promise(done => requestAnimationFrame(() => setTimeout(done))) })()`)
			t.Logf("%s: %s: %.0f ms", name, step.what, p.cpu()-before)
		}
		eval[chromedp.Void](p, failed+".click()")
		if got, want := eval[string](p, picked), read(t, name).Report.Counts["failed"]; got != grouped(want) {
			t.Errorf("%s: %s failed, want %s", name, got, grouped(want))
		}
	}
}

// grouped writes a number below a million as the page does.
func grouped(n int) string {
	s := strconv.Itoa(n)
	if len(s) > 3 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}
