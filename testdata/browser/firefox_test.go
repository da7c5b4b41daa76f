package browser

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestFirefox: the page's script runs there too, under its own policy, and draws the grid, on
// a desk and on a phone. Chromium's pictures tell how much of the grid there is to be seen.
func TestFirefox(t *testing.T) {
	for _, how := range []look{{width: 1280, height: 900}, phone} {
		t.Run(fmt.Sprint(how.width), func(t *testing.T) {
			dir := t.TempDir()
			shot := filepath.Join(dir, "shot.png")
			ctx, stop := context.WithTimeout(t.Context(), patience)
			defer stop()
			cmd := exec.CommandContext(ctx, "firefox-esr", "--headless", "--no-remote", "--profile", dir,
				fmt.Sprintf("--window-size=%d,%d", how.width, how.height), "--screenshot", shot, address("thousand"))
			cmd.Env = append(os.Environ(), "HOME="+dir, "MOZ_HEADLESS=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: apt-get install -y firefox-esr, or ./testdata/test, which installs all that the tests need\n%s", err, out)
			}
			picture, err := os.ReadFile(shot)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(picture))
			if err != nil {
				t.Fatal(err)
			}
			p := open(t, "thousand", how)
			picture, err = chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
			p.must(err)
			chromium, err := png.Decode(bytes.NewReader(picture))
			p.must(err)
			drawn := colours(chromium)[done]
			if n := colours(img)[done]; n < drawn/2 || n > drawn*2 || drawn < 300 {
				t.Errorf("%d pixels are done, in Chromium %d", n, drawn)
			}
		})
	}
}
