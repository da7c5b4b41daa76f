package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// tree gives what a screen reader has of a page: "role name" each.
func (p *tab) tree() []string {
	p.Helper()
	result, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	p.must(err)
	var nodes []string
	for _, n := range result.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		name := ""
		if n.Name != nil {
			name = strings.Trim(string(n.Name.Value), `"`)
		}
		nodes = append(nodes, strings.Trim(string(n.Role.Value), `"`)+" "+name)
	}
	return nodes
}

// TestAccessible: landmarks, headings and names are there for who doesn't see the page.
func TestAccessible(t *testing.T) {
	p := open(t, "thousand", look{})
	eval[chromedp.Void](p, failed+`.click(), document.querySelectorAll('details').forEach(d => d.open = true)`)
	p.must(chromedp.Do(p.ctx, wait(`document.querySelectorAll('#groups table').length > 3 && document.querySelectorAll('figure table').length === 3`)))
	eval[chromedp.Void](p, rows+`, open(positionOf(277))`)
	nodes := p.tree()
	for _, want := range []string{
		"banner ", "main ", "contentinfo ", "search Filter indexes", "navigation Range shown",
		"region Indexes", "region Failures by reason", "region Time", "region What items took", "region Kubernetes", "region Selected indexes", "region One index",
		"heading align-genomes", "heading Indexes", "heading Failures by reason", "heading Settled over time", "heading Duration", "heading Peak memory",
		"application Grid of indexes", "combobox Reason", "combobox Node", "searchbox Text", "textbox Indexes",
		"button failed 14 1.4 %", "button Copy Index list", "button Dark theme", "rowheader 277", "columnheader Last line of stderr", "region stderr of index 277",
		"image done 69.2 %, skipped 0.6 %, failed 1.4 %, running 6.9 %, started 0.1 %, missing 21.8 %",
	} {
		if !slices.Contains(nodes, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, n := range nodes {
		role, name, _ := strings.Cut(n, " ")
		if name == "" && slices.Contains([]string{"button", "textbox", "searchbox", "combobox", "image", "region", "heading", "application", "columnheader", "rowheader"}, role) {
			t.Errorf("a %s has no name", role)
		}
	}
	levels := eval[[]int](p, `[...document.querySelectorAll('h1,h2,h3')].filter(e => e.checkVisibility()).map(e => Number(e.tagName[1]))`)
	for i := 1; i < len(levels); i++ {
		if levels[i] > levels[i-1]+1 {
			t.Errorf("headings skip a level: %d", levels)
		}
	}
	if n := eval[int](p, `document.querySelectorAll('th:not([scope])').length`); n > 0 {
		t.Errorf("%d headers of tables have no scope", n)
	}
	if n := eval[int](p, `document.getAnimations().length`); n > 0 {
		t.Errorf("%d things move", n)
	}
}

// contrast finds texts that WCAG 2.2 has as too faint, 1.4.3 (AA): below 4.5. Marks in
// swatches are no text, they stand beside it.
const contrast = `(() => {
	const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
	const parse = css => { context.clearRect(0, 0, 1, 1); context.fillStyle = css; context.fillRect(0, 0, 1, 1); return [...context.getImageData(0, 0, 1, 1).data]; };
	const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
	const faint = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || e.closest('script, noscript, :disabled, .swatch') || !e.checkVisibility()) continue;
		const style = getComputedStyle(e), a = light(parse(e.closest('svg') ? style.fill : style.color)), b = light(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		seen++;
		if (ratio < 4.5) faint.add(e.tagName + ' ' + e.className + ' ' + e.textContent.slice(0, 30) + ': ' + ratio.toFixed(2));
	}
	return [String(seen), ...faint];
})()`

func TestContrast(t *testing.T) {
	for _, theme := range []string{"light", "dark"} {
		for _, name := range []string{"thousand", "shards", "queue"} {
			p := open(t, name, look{theme: theme})
			eval[chromedp.Void](p, all)
			if name == "thousand" {
				eval[chromedp.Void](p, failed+`.click(), open(positionOf(277)), `+set("indexes", "1-")+`, canvas.focus()`)
				p.must(chromedp.Do(p.ctx, wait(`document.querySelectorAll('#groups table').length > 3`)))
				eval[chromedp.Void](p, rows)
			}
			found := eval[[]string](p, contrast)
			var seen int
			if _, err := fmt.Sscan(found[0], &seen); err != nil || seen < 10 {
				t.Errorf("%s, %s: only %d texts were looked at", name, theme, seen)
			}
			for _, f := range found[1:] {
				t.Errorf("%s, %s: %s", name, theme, f)
			}
		}
	}
}

// TestNarrow: on a phone nothing is to be scrolled sideways but tables and commands.
func TestNarrow(t *testing.T) {
	for _, name := range []string{"ten", "many", "shards", "hostile", "queue"} {
		p := open(t, name, look{width: 360, height: 740})
		eval[chromedp.Void](p, all)
		eval[chromedp.Void](p, tasks)
		if name != "queue" {
			eval[chromedp.Void](p, rows+`, open(0), open(0), `+set("indexes", "0-30"))
		}
		if w := eval[int](p, `document.scrollingElement.scrollWidth`); w > 360 {
			t.Errorf("%s is %d pixels wide: %s", name, w, eval[string](p, `[...document.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > 361 && !e.closest('.scroll, code, pre')).map(e => e.tagName + '#' + e.id + '.' + e.className).join(' ')`))
		}
	}
}

// TestTheme: the system's, until the button chooses; paper is white.
func TestTheme(t *testing.T) {
	p := open(t, "ten", look{theme: "dark"})
	want := func(what, light string) {
		t.Helper()
		const state = `getComputedStyle(document.body).backgroundColor === 'rgb(252, 252, 250)' ? 'light' : 'dark'`
		const cell = `(c => { c.drawImage(canvas, 0, 0); return c.getImageData(layout.left + 4, 4, 1, 1).data[0] === 0x2f ? 'light' : 'dark'; })(document.createElement('canvas').getContext('2d', {willReadFrequently: true}))`
		for of, expression := range map[string]string{"page": state, "grid": cell} {
			if got := eval[string](p, expression); got != light {
				t.Errorf("%s: the %s is %s", what, of, got)
			}
		}
	}
	want("system", "dark")
	eval[chromedp.Void](p, "theme.click()")
	want("chosen", "light")
	eval[chromedp.Void](p, "theme.click()")
	want("chosen again", "dark")
	eval[chromedp.Void](p, "dispatchEvent(new Event('beforeprint'))")
	want("on paper", "light")
	eval[chromedp.Void](p, "dispatchEvent(new Event('afterprint'))")
	want("after it", "dark")

	p = open(t, "ten", look{theme: "light"})
	want("light system", "light")
	p.emulate(look{width: 1280, height: 900, theme: "dark"})
	p.must(chromedp.Do(p.ctx, wait("theme.textContent === 'Light theme'")))
	want("system changed", "dark")
}
