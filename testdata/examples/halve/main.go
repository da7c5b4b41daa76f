// Command halve reads a PNG picture on stdin and writes it on stdout, half as wide and half
// as high: what docs/recipes.md runs for each picture, where you may have ImageMagick.
package main

import (
	"image"
	"image/png"
	"log"
	"os"
)

func main() {
	in, err := png.Decode(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	from := in.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, max(from.Dx()/2, 1), max(from.Dy()/2, 1)))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, in.At(from.Min.X+2*x, from.Min.Y+2*y))
		}
	}
	if err := png.Encode(os.Stdout, out); err != nil {
		log.Fatal(err)
	}
}
