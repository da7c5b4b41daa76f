package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// sidecars reads the files of --sidecar: each has one container, in JSON, which becomes a
// native sidecar, one that starts before the work and ends after it.
func (j *job) sidecars() (all []object, err error) {
	const hint = "the file has one container of a pod, in JSON: kubectl … -o json, or yq -o json"
	names := []string{container, "nth"}
	for _, path := range j.Sidecar {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, usage("--sidecar", err, hint)
		}
		c, err := decodeObject(body)
		name, _ := c.get("name").(string)
		switch {
		case err != nil:
		case !label(name) || len(name) > maxLabel:
			err = fmt.Errorf("its name %q is no DNS label", name)
		case slices.Contains(names, name):
			err = fmt.Errorf("a container is called %q already", name)
		case c.get("restartPolicy") == nil:
			c = c.add("restartPolicy", "Always", nativeSidecar.note()+": it makes it a sidecar, which ends after the work")
		case c.get("restartPolicy") != "Always":
			err = errors.New("the restartPolicy of a sidecar is Always")
		}
		if err != nil {
			return nil, usage("--sidecar "+path, err, hint)
		}
		all, names = append(all, c), append(names, name)
	}
	return all, nil
}

// get gives the value of a key; nil: it has none.
func (o object) get(key string) any {
	for _, f := range o {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// decodeObject reads one object, and keeps the order of its keys.
func decodeObject(body []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	value, err := decodeOrdered(d)
	if err != nil {
		return nil, err
	}
	if _, more := d.Token(); more != io.EOF {
		return nil, errors.New("something follows the object")
	}
	o, ok := value.(object)
	if !ok {
		return nil, errors.New("it is no JSON object")
	}
	return o, nil
}

// decodeOrdered reads one value, and keeps the order of an object's keys.
func decodeOrdered(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		n, err := t.Int64()
		if err != nil {
			return nil, fmt.Errorf("%s is no whole number", t)
		}
		return n, nil
	case json.Delim:
		if t == '[' {
			l := list{}
			for d.More() {
				v, err := decodeOrdered(d)
				if err != nil {
					return nil, err
				}
				l = append(l, v)
			}
			_, err = d.Token()
			return l, err
		}
		o := object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decodeOrdered(d)
			if err != nil {
				return nil, err
			}
			o = append(o, field{key: key.(string), value: v})
		}
		_, err = d.Token()
		return o, err
	case nil:
		return nil, errors.New("null says nothing: leave it out")
	}
	return t, nil // a text or a bool
}
