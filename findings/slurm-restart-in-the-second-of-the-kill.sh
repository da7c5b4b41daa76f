#!/bin/sh
# Slurm 22.05.8 (Debian 12): a job that is requeued and let begin at once has failed, without
# having run. `scontrol requeue` puts a running job back, for two minutes; `scontrol update
# StartTime=now` is how one lets it begin earlier, and the controller starts it. But the node
# remembers in which second it has killed the job, and takes a start from the same second for
# one that was told before the kill: "already killed, do not launch batch job" in slurmd's log.
# It answers as if the script had ended with 1. A good engineer would expect the start to be
# refused or put off: the job is FAILED, exit code 1:0, with Restarts=1, its script never ran,
# it wrote nothing, and nothing tries it again; in an array of many that is one task which
# failed without a line. StartTime=now+3 is well.
#
# Seen: of 20 jobs that were requeued and let begin at once 15 have failed with 1:0, and their
# scripts weren't started again; the others ran a second time. The script fails where all do.
# It needs root, as Slurm's daemons do.
set -eu
work=$(mktemp -d)
chmod 755 "$work"
cd "$work"
version=22.05.8-4+deb12u3
trap 'kill $pids 2>/dev/null || :; wait; rm -rf "$work"' EXIT
pids=
apt-get download slurmctld="$version" slurmd="$version" slurm-client="$version" slurm-wlm-basic-plugins="$version" \
  munge libmunge2 libhwloc15 libjson-c5 libhttp-parser2.9 libyaml-0-2 libdbus-1-3 liblz4-1 libnuma1 libreadline8 >apt.log 2>&1 || { cat apt.log; exit 1; }
for deb in *.deb; do dpkg -x "$deb" root; done
lib=$work/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
export LD_LIBRARY_PATH="$lib/slurm-wlm:$lib" SLURM_CONF="$work/slurm.conf" PATH="$work/root/usr/sbin:$work/root/usr/bin:$PATH"
host=$(hostname -s)
mkdir state spool
: >began
head -c 1024 /dev/urandom >key
chmod 600 key
cat >slurm.conf <<END
ClusterName=finding
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=9617
SlurmdPort=9618
SlurmUser=root
PluginDir=$lib/slurm-wlm
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$work/munge.sock
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_min_interval=1
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
NodeName=n NodeHostname=$host NodeAddr=127.0.0.1 Port=9618 CPUs=64
PartitionName=all Nodes=n Default=YES
END
munged --foreground --force --key-file "$work/key" --socket "$work/munge.sock" --pid-file "$work/munge.pid" --log-file "$work/munge.log" --seed-file "$work/seed" 2>munge.err & pids="$pids $!"
slurmctld -V
slurmctld -D -c -f "$SLURM_CONF" >ctld.out 2>&1 & pids="$pids $!"
slurmd -D -N n -d "$work/root/usr/sbin/slurmstepd-wlm" -f "$SLURM_CONF" >slurmd.out 2>&1 & pids="$pids $!"
n=0
until [ "$(sinfo -h -o %t 2>/dev/null)" = idle ]; do
  n=$((n + 1))
  [ $n -lt 60 ] || { cat munge.err ./*.log ./*.out; exit 1; }
  sleep 0.2
done
cat >job <<'END'
#!/bin/sh
echo "$SLURM_JOB_ID ${SLURM_RESTART_COUNT:-0}" >>began
[ -n "${SLURM_RESTART_COUNT:-}" ] || exec sleep 600
END
jobs=$(for n in $(seq 20); do sbatch --parsable -o /dev/null job; done)
n=0
until [ "$(wc -l <began)" -ge 20 ]; do
  n=$((n + 1))
  [ $n -lt 300 ] || { squeue; cat slurmd.log; exit 1; }
  sleep 0.1
done
for job in $jobs; do
  scontrol requeue "$job"
  until scontrol -o show job "$job" | grep -q 'JobState=PENDING Reason=BeginTime'; do :; done
  scontrol update JobId="$job" StartTime=now
done
until [ -z "$(squeue -h)" ]; do sleep 0.2; done
failed=0
for job in $jobs; do
  if scontrol -o show job "$job" | grep 'JobState=FAILED .*Restarts=1 .*ExitCode=1:0' >/dev/null && ! grep -qx "$job 1" began; then failed=$((failed + 1)); fi
done
echo "of 20 jobs that were requeued and let begin at once $failed have failed with 1:0, and their scripts weren't started again"
grep -m 1 'already killed' slurmd.log
[ "$failed" -gt 0 ]
