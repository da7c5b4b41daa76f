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

// With -pictures the tests are to look at: testdata/examples/report.png is readme.png.
var keep = flag.String("pictures", "", "a folder to keep pictures of the pages in")

var pictures = []struct {
	name, page string
	how        look
	first      string // what is done before
}{
	{"readme", "many", look{width: 1200, height: 1130}, ""},
	{"ten", "ten", look{}, ""},
	{"ten-dark", "ten", dark, ""},
	{"clean", "clean", look{}, ""},
	{"thousand", "thousand", look{}, "open(positionOf(277)), document.querySelector('#groups summary').click()"},
	{"thousand-dark", "thousand", dark, ""},
	{"many", "many", look{}, "document.querySelector('#groups summary').click()"},
	{"many-dark", "many", dark, ""},
	{"many-failed", "many", look{}, failed + ".click()"},
	{"many-inside", "many", look{}, "canvas.focus(), open(31500)"},
	{"many-phone", "many", phone, "document.querySelector('#groups summary').click()"},
	{"million", "million", look{}, ""},
	{"shards-dark", "shards", dark, ""},
	{"queue", "queue", look{}, ""},
	{"hostile", "hostile", look{}, all},
	{"hostile-phone", "hostile", phone, ""},
	{"print", "thousand", look{width: 800, height: 1100, theme: "dark", media: "print"}, "dispatchEvent(new Event('beforeprint'))"},
}

var dark, phone = look{width: 1280, height: 900, theme: "dark"}, look{width: 360, height: 740}

// TestPictures: what is drawn can be seen, on paper too. The rest is for a person to say.
func TestPictures(t *testing.T) {
	for _, tt := range pictures {
		if *keep == "" && tt.name != "ten" && tt.name != "print" {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			p := open(t, tt.page, tt.how)
			if tt.first != "" {
				eval[chromedp.Void](p, tt.first)
			}
			shot := chromedp.FullScreenshot(100)
			if tt.name == "readme" { // its top
				shot = chromedp.CaptureScreenshot()
			}
			picture, err := chromedp.Run(p.ctx, shot)
			p.must(err)
			img, err := png.Decode(bytes.NewReader(picture))
			p.must(err)
			if n := colours(img)[done]; *keep == "" && n < 300 {
				t.Errorf("%d pixels are done", n)
			}
			if *keep != "" {
				var b bytes.Buffer
				p.must((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img))
				p.must(os.WriteFile(filepath.Join(*keep, tt.name+".png"), b.Bytes(), 0o644))
			}
		})
	}
}

// done is how what is done looks in light.
var done = color.NRGBA{0x2f, 0x6d, 0xa8, 0xff}

// colours counts the pixels of each, in every fourth line.
func colours(img image.Image) map[color.NRGBA]int {
	seen := map[color.NRGBA]int{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 4 {
		for x := b.Min.X; x < b.Max.X; x++ {
			seen[color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)]++
		}
	}
	return seen
}
