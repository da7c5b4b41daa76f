package markup

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		want      *Element // nil: an error
	}{
		{"S3's error", `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Error><Code>NoSuchKey</Code><Message>It isn&apos;t there</Message></Error>`,
			&Element{Name: "Error", Children: []*Element{{Name: "Code", Text: "NoSuchKey"}, {Name: "Message", Text: "It isn't there"}}}},
		{"namespace, attributes, empty", `<a:R xmlns:a="x>y" b = 'c'><X/><Y z="1"/></a:R>`, &Element{Name: "R", Children: []*Element{{Name: "X"}, {Name: "Y"}}}},
		{"Azure's encoded name", `<R><N Encoded="true">a%EF%BF%BF</N><N Encoded='false'>b</N><N encoded="true" x="true"/></R>`,
			&Element{Name: "R", Children: []*Element{{Name: "N", Text: "a%EF%BF%BF", Encoded: true}, {Name: "N", Text: "b"}, {Name: "N"}}}},
		{"byte order mark, comments", "\ufeff<!-- <x> --><R><!-- & -->t</R ><?end?>\n", &Element{Name: "R", Text: "t"}},
		{"references", `<R>&lt;&#65;&#x42;&amp;amp;&gt;</R>`, &Element{Name: "R", Text: "<AB&amp;>"}},
		{"CDATA", `<R>a<![CDATA[<b>&]]]></R>`, &Element{Name: "R", Text: "a<b>&]"}},
		{"text around elements", `<R>a<X>b</X>c</R>`, &Element{Name: "R", Text: "ac", Children: []*Element{{Name: "X", Text: "b"}}}},
		{"white space before", " \r\n<R>\r\n</R>", &Element{Name: "R", Text: "\n"}},
		{"nothing", "", nil},
		{"a page of HTML", "<!DOCTYPE html><html><br></html>", nil},
		{"text", "upstream connect error", nil},
		{"cut short", "<R><Code>NoSuchKey</Code>", nil},
		{"cut in a tag", "<R", nil},
		{"cut in an end", "<R></R", nil},
		{"two roots", "<R/><R/>", nil},
		{"text after", "<R/>x", nil},
		{"wrong end", "<R></S>", nil},
		{"longer end", "<R></RR>", nil},
		{"unknown reference", "<R>&nbsp;</R>", nil},
		{"open reference", "<R>&amp</R>", nil},
		{"not UTF-8", "<R>\xff</R>", nil},
		{"entity bomb", `<!DOCTYPE R [<!ENTITY a "b">]><R>&a;</R>`, nil},
		{"too deep", strings.Repeat("<R>", 100) + strings.Repeat("</R>", 100), nil},
		{"attribute without a value", "<R a/>", nil},
		{"attribute without a quote", "<R a=b/>", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse([]byte(c.doc))
			if (err == nil) != (c.want != nil) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(c.want, got); err == nil && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestGet(t *testing.T) {
	e, err := Parse([]byte("<R><K> a </K><K>b</K></R>"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{e.Get("K"), e.Raw("K"), e.Get("X"), e.Raw("X"), e.All("K")[1].Text}
	if diff := cmp.Diff([]string{"a", " a ", "", "", "b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// reference is the same document as the standard library reads it.
type reference struct {
	XMLName  xml.Name
	Text     string      `xml:",chardata"`
	Children []reference `xml:",any"`
}

func (r reference) element() *Element {
	e := &Element{Name: r.XMLName.Local, Text: r.Text}
	for _, c := range r.Children {
		e.Children = append(e.Children, c.element())
	}
	return e
}

func (e *Element) clone() *Element {
	c := &Element{Name: e.Name, Text: e.Text, Encoded: e.Encoded}
	for _, child := range e.Children {
		c.Children = append(c.Children, child.clone())
	}
	return c
}

// TestRows: what is taken isn't in the document, and stays as it was only until the next.
func TestRows(t *testing.T) {
	doc := []byte("<L><A>1</A><E><K>a &amp; b</K><O><I>x</I></O></E><E/><E><K>c</K></E><B><K>kept</K></B></L>")
	var rows []*Element
	left, err := Rows(doc, 1, func(e *Element) bool {
		if e.Name == "E" {
			rows = append(rows, e.clone())
		}
		return e.Name == "E"
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []*Element{
		{Name: "E", Children: []*Element{{Name: "K", Text: "a & b"}, {Name: "O", Children: []*Element{{Name: "I", Text: "x"}}}}},
		{Name: "E"}, {Name: "E", Children: []*Element{{Name: "K", Text: "c"}}},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if left = left.clone(); len(left.Children) != 2 || left.Get("A") != "1" || left.All("B")[0].Get("K") != "kept" {
		t.Errorf("%+v", left)
	}
}

// FuzzParse: whatever both take, this parser and the standard library's understand
// alike, whole or row by row; and
// what was escaped comes back.
func FuzzParse(f *testing.F) {
	for _, doc := range []string{`<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>`, "<a:R b='c'><X/>&lt;&#x41;<![CDATA[x]]></a:R>", "<R>\r\n</R>",
		"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := Parse(doc)
		var want reference
		if err == nil && xml.Unmarshal(doc, &want) == nil {
			if diff := cmp.Diff(want.element(), got); diff != "" {
				t.Errorf("%q (-library +this):\n%s", doc, diff)
			}
		}
		if err == nil {
			rows := &Element{Name: got.Name, Text: got.Text, Encoded: got.Encoded}
			left, err := Rows(doc, 1, func(e *Element) bool {
				rows.Children = append(rows.Children, e.clone())
				return true
			})
			if err != nil || len(left.Children) > 0 {
				t.Fatalf("%q: %v, left %v", doc, err, left)
			}
			if diff := cmp.Diff(got, rows); diff != "" {
				t.Errorf("%q (-whole +by rows):\n%s", doc, diff)
			}
		}
		text := strings.ToValidUTF8(string(doc), "")
		back, err := Parse([]byte("<R>" + Escape(text) + "</R>"))
		if err != nil || back.Text != newlines().Replace(text) {
			t.Errorf("%q comes back as %v, %v", text, back, err)
		}
	})
}
