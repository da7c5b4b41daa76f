package main

// shareFile has manuals and completions at the places below a prefix, such as /usr/local,
// where man and the shells look.
const shareFile = "nth-share.tar.gz"

func writeShare(r *release) error {
	files, err := r.share("share/zsh/site-functions/_nth")
	if err != nil {
		return err
	}
	body, err := archive("", files, r.at)
	if err != nil {
		return err
	}
	if body, err = zipped(body); err != nil {
		return err
	}
	return r.write(shareFile, body)
}

// share gives manuals and completions. Where zsh's is differs from system to system.
func (r *release) share(forZsh string) ([]entry, error) {
	all, err := table()
	if err != nil {
		return nil, err
	}
	pages, err := manuals(all, r)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{
		"share/bash-completion/completions/nth":    bash(all, r.version),
		"share/fish/vendor_completions.d/nth.fish": fish(all, r.version),
		forZsh: zsh(all, r.version),
	}
	for name, text := range pages {
		texts["share/man/man"+name[len(name)-1:]+"/"+name] = text
	}
	var list []entry
	for name, text := range texts {
		list = append(list, entry{name: name, mode: 0o644, body: []byte(text)})
	}
	return list, nil
}
