// Package browser looks at the report's page in a real browser. It is a module of its
// own, so that what drives the browser is no dependency of nth.
package browser

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a browser may take for anything, on a machine that has much to do.
const patience = 10 * time.Minute

var (
	browser context.Context // one browser for all tests, a tab each
	folder  string          // of the pages
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		log.Print(err)
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "nth-browser-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	folder = filepath.Join(dir, "pages")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return 1, err
	}
	write := exec.Command("go", "run", "./testdata/cmd/report", folder)
	write.Dir = filepath.Join("..", "..")
	if out, err := write.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("%s: %w\n%s", write, err, out)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, // as root, without a display
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(patience),
		chromedp.UserDataDir(filepath.Join(dir, "profile")))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	if err := chromedp.Do(ctx); err != nil {
		return 1, err
	}
	browser = ctx
	return m.Run(), nil
}

// tab is a page that is open.
type tab struct {
	*testing.T
	ctx context.Context

	mu    sync.Mutex
	wrong []string      // what a page must never do
	noted chan struct{} // after each
}

// look is how a page is shown; what is left out is a laptop's, in light.
type look struct {
	width, height int64
	theme, media  string
}

// open shows one of the pages, and at the test's end holds against it every dialog,
// error, message in the console, broken policy and request.
func open(t *testing.T, name string, how look) *tab {
	t.Helper()
	p := unguarded(t, name, how)
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, w := range p.wrong {
			t.Errorf("%s: %s", name, w)
		}
	})
	return p
}

// unguarded shows a page that may do all that.
func unguarded(t *testing.T, name string, how look) *tab {
	t.Helper()
	if how.width == 0 {
		how.width, how.height = 1280, 900
	}
	if how.theme == "" {
		how.theme = "light"
	}
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	p := &tab{T: t, ctx: ctx, noted: make(chan struct{}, 100)}
	p.must(chromedp.Listen(ctx, p.watch))
	// The tab lives as long as the context of its first call; the others are bounded.
	p.ctx, stop = context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	_, err := chromedp.Call(ctx, cdplog.Enable, struct{}{})
	p.must(err)
	_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	p.must(err)
	p.emulate(how)
	p.show("file://" + filepath.Join(folder, name+".html"))
	return p
}

func address(name string) string { return "file://" + filepath.Join(folder, name+".html") }

// show opens an address, and waits until the page's script has run.
func (p *tab) show(url string) {
	p.Helper()
	p.must(chromedp.Do(p.ctx, chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("[data-ready]"))))
}

func (p *tab) emulate(how look) {
	p.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: how.media,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: how.theme}}})
	p.must(err)
	p.must(chromedp.Do(p.ctx, chromedp.EmulateViewport(how.width, how.height)))
}

// watch notes what is wrong.
func (p *tab) watch(event any) {
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		p.note("dialog: " + e.Message)
	case *runtime.EventExceptionThrown:
		p.note("exception: " + e.ExceptionDetails.Text + " " + e.ExceptionDetails.Exception.Description)
	case *runtime.EventConsoleAPICalled:
		p.note(fmt.Sprintf("console: %s %s", e.Type, e.Args[0].Value))
	case *cdplog.EventEntryAdded:
		p.note("log: " + e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file://"+folder) && e.Request.URL != "data:," {
			p.note("request: " + e.Request.URL)
		}
	}
}

func (p *tab) note(wrong string) {
	p.mu.Lock()
	p.wrong = append(p.wrong, wrong)
	p.mu.Unlock()
	p.noted <- struct{}{}
}

// expect waits until something wrong is noted that has a part.
func (p *tab) expect(part string) {
	p.Helper()
	for {
		select {
		case <-p.noted:
		case <-p.ctx.Done():
			p.Fatalf("nobody saw %q, only %q", part, p.wrong)
		}
		p.mu.Lock()
		seen := slices.ContainsFunc(p.wrong, func(w string) bool { return strings.Contains(w, part) })
		p.mu.Unlock()
		if seen {
			return
		}
	}
}

func (p *tab) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// eval gives what an expression is in the page.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}
