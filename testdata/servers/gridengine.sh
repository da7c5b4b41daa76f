# A cell of Grid Engine as Debian's packages have it, in this folder: what postinst of
# gridengine-master and init_cluster do for the one in /var/lib.
mount -t proc proc /proc
mkdir -p root/cell/common spool/qmaster/job_scripts spool/db spool/execd
for part in bin lib util utilbin; do ln -s "/var/lib/gridengine/$part" root/; done
echo localhost >root/cell/common/act_qmaster
echo "localhost $(hostname)" >root/cell/common/host_aliases
sed "s|^admin_user .*|admin_user none|; s|/var/spool/gridengine/spooldb|$PWD/spool/db|; s|/var/spool/gridengine/qmaster|$PWD/spool/qmaster|" \
  /usr/share/gridengine/default-bootstrap >root/cell/common/bootstrap
sed "s|^execd_spool_dir .*|execd_spool_dir $PWD/spool/execd|; s|^mailer .*|mailer /bin/true|; s|^administrator_mail .*|administrator_mail none|
  s|^min_uid .*|min_uid 0|; s|^min_gid .*|min_gid 0|; s|^load_report_time .*|load_report_time 00:00:01|; s|flush_time=00:00:15|flush_time=00:00:01|" \
  /usr/share/gridengine/default-configuration >configuration
spoolinit berkeleydb libspoolb spool/db init
spooldefaults configuration configuration
spooldefaults complexes /usr/share/gridengine/util/resources/centry
spooldefaults usersets /usr/share/gridengine/util/resources/usersets
spooldefaults managers root

sge_qmaster &
until qconf -sh >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done
echo 'hostname localhost
load_scaling NONE
complex_values NONE
user_lists NONE
xuser_lists NONE
projects NONE
xprojects NONE
usage_scaling NONE
report_variables NONE' >host
qconf -Ae host
qconf -as localhost
qconf -ssconf | sed 's/^schedule_interval .*/schedule_interval 0:0:1/; s/^flush_submit_sec .*/flush_submit_sec 1/; s/^flush_finish_sec .*/flush_finish_sec 1/' >scheduler
qconf -Msconf scheduler
for queue in 'all.q 00:10:00' 'brief.q 00:00:05'; do
  qconf -sq | sed "s/^qname .*/qname ${queue% *}/; s/^hostlist .*/hostlist localhost/; s/^load_thresholds .*/load_thresholds NONE/; s/^slots .*/slots 16/
    s/^notify .*/notify ${queue#* }/; s/^pe_list .*/pe_list NONE/; s/^rerun .*/rerun TRUE/" >queue
  qconf -Aq queue
done
sge_execd &
touch ready
wait
