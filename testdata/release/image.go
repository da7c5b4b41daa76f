package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"regexp"
	"time"
)

// imageFile is an image for every Linux, in the layout of the Open Container Initiative.
const imageFile = "nth-image.tar"

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar+gzip"
	annotation   = "org.opencontainers.image."
)

// descriptor points to a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

// manifest is an image's, or with Manifests an index of images.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        *descriptor       `json:"config,omitempty"`
	Layers        []descriptor      `json:"layers,omitempty"`
	Manifests     []descriptor      `json:"manifests,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// imageConfig is what a container is started by.
type imageConfig struct {
	Created time.Time `json:"created"`
	platform
	Config struct {
		Env        []string
		Entrypoint []string
		WorkingDir string
		Labels     map[string]string
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
	History []history `json:"history"`
}

type history struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// layout collects blobs.
type layout struct{ files []entry }

func (l *layout) add(mediaType string, body []byte) descriptor {
	sum := digest(body)
	l.files = append(l.files, entry{name: "blobs/sha256/" + sum, mode: 0o644, body: body})
	return descriptor{MediaType: mediaType, Digest: "sha256:" + sum, Size: len(body)}
}

func (l *layout) addJSON(mediaType string, document any) (descriptor, error) {
	body, err := json.Marshal(document)
	return l.add(mediaType, body), err
}

// writeImage writes an index of one image a platform. The index is itself listed by the
// layout's, so that a tool which takes "the image" of a layout finds just one.
func writeImage(r *release) error {
	start, labels, err := dockerfile()
	if err != nil {
		return err
	}
	labels[annotation+"version"], labels[annotation+"revision"] = r.version, r.commit
	notes := maps.Clone(labels)
	notes[annotation+"created"] = r.at.Format(time.RFC3339)
	index := manifest{SchemaVersion: 2, MediaType: indexType, Annotations: notes}
	var l layout
	for _, p := range r.programs {
		if p.settings["GOOS"] != "linux" {
			continue
		}
		d, err := l.image(r, p, start, labels, notes)
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, d)
	}
	if len(index.Manifests) == 0 {
		return nil
	}
	d, err := l.addJSON(indexType, index)
	if err != nil {
		return err
	}
	// podman takes it for the image's whole name, and a registry's is given when it is copied.
	d.Annotations = map[string]string{annotation + "ref.name": "nth:" + r.version}
	top, err := json.Marshal(manifest{SchemaVersion: 2, MediaType: indexType, Manifests: []descriptor{d}})
	if err != nil {
		return err
	}
	l.files = append(l.files, entry{name: "index.json", mode: 0o644, body: top},
		entry{name: "oci-layout", mode: 0o644, body: []byte(`{"imageLayoutVersion":"1.0.0"}`)})
	body, err := archive("", l.files, r.at)
	if err != nil {
		return err
	}
	return r.write(imageFile, body)
}

// image adds the image of one platform: a layer with /nth alone.
func (l *layout) image(r *release, p program, start []string, labels, notes map[string]string) (descriptor, error) {
	layer, err := archive("", []entry{{name: "nth", mode: 0o755, body: p.body}}, r.at)
	if err != nil {
		return descriptor{}, err
	}
	packed, err := zipped(layer)
	if err != nil {
		return descriptor{}, err
	}
	c := imageConfig{Created: r.at, platform: platform{p.settings["GOARCH"], "linux", p.variant()}}
	// The variable is what builders write into every image.
	c.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	c.Config.Entrypoint, c.Config.WorkingDir, c.Config.Labels = start, "/", labels
	c.RootFS.Type, c.RootFS.DiffIDs = "layers", []string{"sha256:" + digest(layer)}
	c.History = []history{{r.at, "COPY nth /nth"}}
	config, err := l.addJSON(configType, c)
	if err != nil {
		return descriptor{}, err
	}
	d, err := l.addJSON(manifestType, manifest{SchemaVersion: 2, MediaType: manifestType, Config: &config,
		Layers: []descriptor{l.add(layerType, packed)}, Annotations: notes})
	d.Platform = &c.platform
	return d, err
}

var (
	entrypoint = regexp.MustCompile(`(?m)^ENTRYPOINT (\[.*\])$`)
	label      = regexp.MustCompile(`(org\.opencontainers\.image\.[a-z]+)="([^"$]+)"`)
)

// dockerfile reads what starts the image that the Dockerfile makes, and its labels that are
// no build's: both images are one to those who use them.
func dockerfile() (start []string, labels map[string]string, err error) {
	body, err := os.ReadFile("Dockerfile")
	if err != nil {
		return nil, nil, err
	}
	found := entrypoint.FindSubmatch(body)
	if found == nil {
		return nil, nil, errors.New("the Dockerfile has no ENTRYPOINT")
	}
	if err := json.Unmarshal(found[1], &start); err != nil {
		return nil, nil, err
	}
	labels = map[string]string{}
	for _, m := range label.FindAllSubmatch(body, -1) {
		labels[string(m[1])] = string(m[2])
	}
	return start, labels, nil
}
