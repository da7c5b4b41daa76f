package browser

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var keep = flag.String("pictures", "", "a folder to keep pictures of the pages in")

// TestPictures draws pages as people see them. With -pictures they are kept.
func TestPictures(t *testing.T) {
	dark, phone := look{width: 1280, height: 900, theme: "dark"}, look{width: 360, height: 740}
	for _, tt := range []struct {
		name, page string
		how        look
		first      string // what is done before
	}{
		{"ten", "ten", look{}, ""},
		{"ten-dark", "ten", dark, ""},
		{"clean", "clean", look{}, ""},
		{"thousand", "thousand", look{}, "open(positionOf(1009)), document.querySelector('#groups summary').click()"},
		{"thousand-dark", "thousand", dark, ""},
		{"many", "many", look{}, "document.querySelector('#groups summary').click()"},
		{"many-dark", "many", dark, ""},
		{"many-failed", "many", look{}, "document.querySelectorAll('#states button')[2].click()"},
		{"many-inside", "many", look{}, "canvas.focus(), open(31500)"},
		{"many-phone", "many", phone, "document.querySelector('#groups summary').click()"},
		{"million", "million", look{}, ""},
		{"shards-dark", "shards", dark, ""},
		{"queue", "queue", look{}, ""},
		{"hostile", "hostile", look{}, "document.querySelectorAll('#groups summary').forEach(s => s.click())"},
		{"hostile-phone", "hostile", phone, ""},
		{"print", "thousand", look{width: 800, height: 1100, theme: "dark", media: "print"}, "dispatchEvent(new Event('beforeprint'))"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := open(t, tt.page, tt.how)
			if tt.first != "" {
				eval[chromedp.Void](p, tt.first)
			}
			picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
			p.must(err)
			img, err := png.Decode(bytes.NewReader(picture))
			p.must(err)
			if n := len(colours(img)); n < 20 {
				t.Errorf("%d colours: nothing is drawn", n)
			}
			if *keep != "" {
				p.must(os.WriteFile(filepath.Join(*keep, tt.name+".png"), picture, 0o644))
			}
		})
	}
}

// colours counts the pixels of each.
func colours(img image.Image) map[color.Color]int {
	seen := map[color.Color]int{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			seen[color.NRGBAModel.Convert(img.At(x, y))]++
		}
	}
	return seen
}
