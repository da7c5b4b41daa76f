package manifest

import "nth/shim/flags"

// Spec is what `nth manifest --help` says.
var Spec = flags.Spec{
	Name: "nth manifest", Args: "[--] COMMAND [ARG...]",
	Line: "print the Kubernetes Job or Slurm script for this command",
	About: `Print the Kubernetes Job that runs this command, with an index for each item: from the
command line that nth run takes, whose flags become variables of the container. With
--indexes, --missing or --failed a small Job that repairs a large one. With --kind slurm a
script for sbatch, of the same flags.`,
	Example: `nth manifest --name checksums --completions 100 --image busybox:1.36 --markers 's3://my-bucket/<<.Job>>' -- sha256sum '/data/file_<<.Index>>.txt'`,
	Own:     []string{"Manifest", "Pods", "Policy", "Repair"},
	Common: []string{"completions", "indexes", "job", "env", "require", "input", "output", "items", "each", "markers", "logs", "tasks",
		"timeout", "stop-grace"},
	// The others that it refuses are those that it sets, of which nobody else tells.
	Refuses: func(flag string) bool { return flag == "--index" || flag == "--index-env" },
}
