package manifest

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// ways are those in which nth gets into a pod: where it is, and the volume that holds it.
var ways = []struct{ via, nth, mount, volume string }{
	{"init-container", "/shared/nth", "/shared", "shared"},
	{"image-volume", "/nth-image/nth", "/nth-image", "nth"},
	{via: "copy", nth: "/nth"},
}

func (j *job) way() (nth, mount, volume string) {
	for _, w := range ways {
		if w.via == j.Via {
			nth, mount, volume = w.nth, w.mount, w.volume
		}
	}
	return nth, mount, volume
}

// mountable is what --volume can name, and what of the volume has the name.
var mountable = []struct{ kind, field, name string }{
	{"pvc", "persistentVolumeClaim", "claimName"},
	{"secret", "secret", "secretName"},
	{"configmap", "configMap", "name"},
	{"emptydir", "emptyDir", ""},
	{"hostpath", "hostPath", "path"},
}

// volume is one --volume.
type volume struct {
	path     string
	readOnly bool
	kind     string // the field of the volume that says what it is
	source   object
}

func (j *job) parseVolumes() (all []volume, err error) {
	_, mount, _ := j.way()
	taken := map[string]bool{mount: true, "/": true}
	for _, given := range j.Volume {
		v, err := parseVolume(given)
		if err != nil {
			return nil, usage("--volume", err, "write pvc/NAME:/path, secret/NAME:/path:ro, configmap/NAME:/path emptydir:/tmp or hostpath/scratch:/scratch")
		}
		if err := fits("--volume", v.path); err != nil {
			return nil, err
		}
		if taken[v.path] {
			return nil, contradiction("--volume", fmt.Errorf("%s is taken already", v.path), "mount it elsewhere")
		}
		taken[v.path] = true
		all = append(all, v)
	}
	return all, nil
}

func parseVolume(given string) (v volume, err error) {
	given, v.readOnly = strings.CutSuffix(given, ":ro")
	source, at, ok := strings.Cut(given, ":")
	if !ok || !path.IsAbs(at) || strings.Contains(at, ":") {
		return v, fmt.Errorf("%q names no absolute path", given)
	}
	v.path = path.Clean(at)
	kind, name, named := strings.Cut(source, "/")
	for _, m := range mountable {
		host := m.kind == "hostpath"
		if m.kind == kind && named == (m.name != "") && (!named || host && name != "" || subdomain(name)) {
			v.kind, v.source = m.field, object{}
			switch {
			case host: // it must be there, for an empty one in its place looks like nothing done
				v.source = pairs(m.name, path.Clean("/"+name), "type", "Directory")
			case named:
				v.source = pairs(m.name, name)
			}
			return v, nil
		}
	}
	return v, fmt.Errorf("%q is nothing that can be mounted", source)
}

func (j *job) volumes() (l list) {
	_, _, name := j.way()
	switch j.Via {
	case "init-container":
		l = list{pairs("name", name, "emptyDir", object{})}
	case "image-volume":
		l = list{pairs("name", name).add("image", pairs("reference", j.NthImage), imageVolume.note())}
	}
	for i, v := range j.mounted {
		l = append(l, pairs("name", volumeName(i), v.kind, v.source))
	}
	return l
}

func volumeName(i int) string { return fmt.Sprintf("volume-%d", i) }

func (j *job) mounts() (l list) {
	if _, mount, name := j.way(); mount != "" {
		l = list{line{pairs("name", name, "mountPath", mount, "readOnly", true)}}
	}
	for i, v := range j.mounted {
		o := pairs("name", volumeName(i), "mountPath", v.path)
		if v.readOnly {
			o = o.with("readOnly", true)
		}
		l = append(l, line{o})
	}
	return l
}

// lacks tells why no volume keeps what is written under a URL; "": one does, or it is no
// file's.
func (j *job) lacks(fileURL string) string {
	u, err := url.Parse(fileURL)
	if !strings.HasPrefix(fileURL, "file://") {
		return ""
	}
	var v *volume
	if err == nil {
		v = j.under(path.Clean(u.Path))
	}
	switch {
	case v == nil || v.kind == "emptyDir":
		return "no --volume keeps it, so that what is written there ends with the pod"
	case v.readOnly:
		return "its --volume is mounted read-only, so that nothing can be written there (take :ro away)"
	}
	return ""
}

// under gives the volume that a path is on; nil: none.
func (j *job) under(at string) (found *volume) {
	for i, v := range j.mounted {
		if strings.HasPrefix(at+"/", v.path+"/") && (found == nil || len(v.path) > len(found.path)) {
			found = &j.mounted[i]
		}
	}
	return found
}
