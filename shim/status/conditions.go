package status

import "slices"

// conditions are those of a Job that are true now, as Kubernetes writes them, with the
// reason: "Failed: DeadlineExceeded". They come in pairs: FailureTarget before Failed, and
// SuccessCriteriaMet before Complete, while its pods still end.
type conditions []condition

func conditionsOf(all []condition) conditions {
	return slices.DeleteFunc(slices.Clone(all), func(c condition) bool { return c.Status != "True" })
}

func (c condition) String() string {
	if c.Reason == "" {
		return c.Type
	}
	return c.Type + ": " + c.Reason
}

func (all conditions) is(kind string) bool {
	return slices.ContainsFunc(all, func(c condition) bool { return c.Type == kind })
}

// ended says why the Job has ended; empty: it has not.
func (all conditions) ended() (why string) {
	for _, c := range all {
		if c.Type == "Failed" || c.Type == "Complete" {
			why = c.String()
		}
	}
	return why
}

// all are the texts of those that aren't followed by the end.
func (all conditions) all() (list []string) {
	for _, c := range all {
		if c.Type != "Failed" && c.Type != "Complete" && (all.ended() == "" || c.Type == "Suspended") {
			list = append(list, c.String())
		}
	}
	return list
}
