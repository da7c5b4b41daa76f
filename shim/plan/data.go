package plan

import "nth/shim/item"

// Data is what one index would read and write. Secrets are masked.
type Data struct {
	Inputs      []Transfer `json:"inputs,omitempty"`
	Outputs     []Transfer `json:"outputs,omitempty"`
	Stdin       string     `json:"stdin,omitempty"`
	Stdout      string     `json:"stdout,omitempty"`
	Checkpoints []Transfer `json:"checkpoints,omitempty"`
	KeepFailed  string     `json:"keep_failed,omitempty"`
	Kept        []Transfer `json:"keep_failed_files,omitempty"`
}

// Transfer is a place in a store, and the path of what is there or comes there.
type Transfer struct {
	URL  string `json:"url"`
	Path string `json:"path"`
}

func dataOf(d item.Data, hide func(string) string) (p Data) {
	for _, in := range d.Inputs {
		p.Inputs = append(p.Inputs, Transfer{hide(in.URL.Value), hide(in.Path.Value)})
	}
	of := func(list []item.Output) (all []Transfer) {
		for _, out := range list {
			all = append(all, Transfer{hide(out.URL.Value), hide(out.Path.Value)})
		}
		return all
	}
	p.Outputs, p.Checkpoints, p.Kept = of(d.Outputs), of(d.Checkpoints), of(d.Kept)
	p.Stdin, p.Stdout, p.KeepFailed = hide(d.Stdin.Value), hide(d.Stdout.Value), hide(d.KeepFailed.Value)
	return p
}

// given are the flags that say the same.
func (d Data) given() (words []string) {
	for _, in := range d.Inputs {
		words = append(words, "--input="+in.URL+"="+in.Path)
	}
	for _, out := range d.Outputs {
		words = append(words, "--output="+out.Path+"="+out.URL)
	}
	for _, s := range [...]struct{ flag, url string }{{"--stdin=", d.Stdin}, {"--stdout=", d.Stdout}} {
		if s.url != "" {
			words = append(words, s.flag+s.url)
		}
	}
	for _, kept := range d.Checkpoints {
		words = append(words, "--checkpoint="+kept.Path+"="+kept.URL)
	}
	if d.KeepFailed != "" {
		words = append(words, "--keep-failed="+d.KeepFailed)
	}
	for _, kept := range d.Kept {
		words = append(words, "--keep-failed="+kept.Path+"="+kept.URL)
	}
	return words
}
