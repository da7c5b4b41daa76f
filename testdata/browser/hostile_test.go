package browser

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// all opens every group and every item of it.
const all = `document.querySelectorAll('#groups summary').forEach(s => s.click());
	document.querySelectorAll('#groups details').forEach(d => d.open = true)`
const tasks = `document.querySelectorAll('#more tbody button[aria-expanded=false]').forEach(b => b.click())`
const rows = `document.querySelectorAll('#groups tbody th button').forEach(b => b.click())`

// TestHostile: what commands wrote is text, and only that. What open() watches for is
// the other half of this test.
func TestHostile(t *testing.T) {
	p := open(t, "hostile", look{})
	elements := `['script', 'img', 'iframe', 'link', 'b b', 'a'].map(e => e + document.querySelectorAll(e).length).join(' ')`
	before := eval[string](p, elements)
	eval[chromedp.Void](p, all)
	p.must(chromedp.Do(p.ctx, wait(`document.querySelectorAll('#groups table').length === 5`)))
	eval[chromedp.Void](p, rows)
	text := eval[string](p, `[...document.querySelectorAll('pre')].map(e => e.textContent).join('\n')`)
	for _, want := range []string{
		"</script><script>alert(3)</script>\n<!--<script>\n<img src=https://example.invalid/x onerror=alert(4)>\nfirst line &lt;b&gt; &amp;\n",
		"red ⟨U+001B⟩]0;title⟨U+0007⟩ ⟨U+001B⟩[2J⟨U+001B⟩[H cleared\n10%⟨U+000D⟩\n20%⟨U+000D⟩\n100%\n",
		"nul:⟨U+0000⟩: bell:⟨U+0007⟩: c1:⟨U+009B⟩31m: invalid:\ufffd\ufffd:",
		"⟨U+202E⟩right to left⟨U+202C⟩ ⟨U+2067⟩isolate⟨U+2069⟩ ⟨U+200B⟩zero width ⟨U+2028⟩line ⟨U+2029⟩paragraph\nשלום עולם (ltr) مرحبا",
		"<b>long</b> the end",
		"{{constructor.constructor('alert(7)')()}} ${alert(8)} STYLE SCRIPT DATA SCRIPT-HASH",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q isn't shown", want)
		}
	}
	if len(text) > 200_000 {
		t.Errorf("%d bytes of stderr are shown at once", len(text))
	}
	eval[chromedp.Void](p, tasks)
	if got := eval[string](p, `more.textContent`); !strings.Contains(got, "0</script><script>alert(1)</script><img src=x onerror=alert(2)>⟨U+202E⟩gnp.exe") || !strings.Contains(got, "<img src=https://example.invalid/x onerror=alert(4)>") {
		t.Errorf("of the tasks this is shown: %s", got)
	}
	eval[chromedp.Void](p, `[...document.querySelectorAll('button')].find(b => b.textContent.startsWith('Show also the 1,0')).click()`)
	if n := eval[int](p, `Math.max(...[...document.querySelectorAll('pre')].map(e => e.textContent.length))`); n < 1_000_000 {
		t.Errorf("of a long line %d characters are shown", n)
	}
	if got := eval[string](p, `job.textContent`); !strings.Contains(got, "</script><script>alert(1)</script><img src=x onerror=alert(2)>⟨U+202E⟩gnp.exe") {
		t.Errorf("the title is %q", got)
	}
	eval[chromedp.Void](p, set("text", "</script>"))
	if after := eval[string](p, elements); after != before {
		t.Errorf("elements: %s, before the texts were shown: %s", after, before)
	}
}

// TestPolicy breaks into a page in each way that TestHostile watches for: the policy
// stops it, and whoever watches sees it.
func TestPolicy(t *testing.T) {
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer server.Close()
	for _, tt := range []struct{ name, script, seen string }{
		{"inline script", `{ const s = document.createElement('script'); s.append('window.broken = 1'); document.body.append(s) }`, "TrustedScript"},
		{"handler", `try { document.body.setAttribute('onclick', 'window.broken = 1') } catch {} document.body.click()`, "TrustedScript"},
		{"markup", `try { document.body.innerHTML = '<img src=x onerror="window.broken = 1">' } catch {}`, "TrustedHTML"},
		{"style", `{ const s = document.createElement('style'); s.append('body { color: red }'); document.body.append(s) }`, "style-src"},
		{"image", `new Promise(done => { const i = new Image; i.onerror = done; i.src = '` + server.URL + `/image' })`, "img-src"},
		{"fetch", `fetch('` + server.URL + `/fetch').catch(() => 0)`, "connect-src"},
		{"console", `console.error('oh')`, "console"},
		{"exception", `void setTimeout(() => { throw Error('oh') })`, "exception"},
		{"dialog", `void setTimeout(() => alert('oh'))`, "dialog"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := unguarded(t, "ten", look{})
			eval[chromedp.Void](p, tt.script)
			p.expect(tt.seen)
			if tt.name == "dialog" {
				_, err := chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
				p.must(err)
			}
			if eval[string](p, "String(window.broken)") != "undefined" {
				t.Error("it ran")
			}
			select {
			case path := <-asked:
				t.Errorf("a request came through: %s", path)
			default:
			}
		})
	}
}

// TestFramed: a viewer may show the page in a frame, without any right but scripts.
func TestFramed(t *testing.T) {
	body := `<!DOCTYPE html><body data-ready><iframe sandbox="allow-scripts" width="1200" height="800" src="ten.html"></iframe>`
	if err := os.WriteFile(filepath.Join(folder, "viewer.html"), []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
	p := open(t, "viewer", look{})
	for {
		picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		p.must(err)
		img, err := png.Decode(bytes.NewReader(picture))
		p.must(err)
		if colours(img)[done] > 300 {
			return
		}
	}
}
