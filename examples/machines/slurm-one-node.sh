#!/bin/bash
# Start a Slurm of one node on this machine, for a look at arrays: submit one, kill a task, requeue it, merge.
#
# For a throw-away machine (a container) with Debian's slurm-wlm and munge, as root. Usage: bash slurm-one-node.sh [FOLDER]
# The configuration, the logs and the outputs are in FOLDER, by default a new one. The daemons end with the script.
set -eu
cd "$(dirname "$0")"
for tool in slurmctld slurmd munged sbatch; do
    command -v $tool > /dev/null || { echo "there is no $tool: apt-get install slurm-wlm munge"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "slurmd needs root"; exit 77; }
WORK=$(realpath "${1:-$(mktemp -d)}")
mkdir -p "$WORK"/{state,spool,out}
export SLURM_CONF=$WORK/slurm.conf STRAG=${STRAG:-strag} DATA=${DATA:-mnist8k}
# Three parts that take ten seconds each or so; two runs of this width make a group.
export TRAIN=${TRAIN:---width 320 --runs 6 --epochs 150 --lr 0.1 --threads 1} OUT=$WORK/out
HOST=$(hostname -s)

cat > "$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$HOST(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$WORK/munge.socket
StateSaveLocation=$WORK/state
SlurmdSpoolDir=$WORK/spool
SlurmctldPidFile=$WORK/slurmctld.pid
SlurmdPidFile=$WORK/slurmd.pid
SlurmctldLogFile=$WORK/slurmctld.log
SlurmdLogFile=$WORK/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MailProg=/bin/true
NodeName=$HOST NodeAddr=127.0.0.1 CPUs=$(nproc --all) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
cat > "$WORK/cgroup.conf" <<CONF
CgroupPlugin=cgroup/v1
CONF

DAEMONS=()
trap 'scancel -n strag 2> /dev/null || true; sleep 1; kill "${DAEMONS[@]}" 2> /dev/null || true; wait' EXIT
(umask 077; head -c 1024 /dev/urandom > "$WORK/munge.key")
munged --foreground --force --socket="$WORK/munge.socket" --key-file="$WORK/munge.key" --pid-file="$WORK/munged.pid" \
    --seed-file="$WORK/munge.seed" --log-file="$WORK/munged.log" 2> /dev/null & DAEMONS+=($!)
sleep 1
slurmctld -D -f "$SLURM_CONF" 2> /dev/null & DAEMONS+=($!)
sleep 2
slurmd -D -f "$SLURM_CONF" 2> /dev/null & DAEMONS+=($!)
for _ in $(seq 30); do
    sinfo -h -o %T 2> /dev/null | grep -q idle && break
    sleep 1
done
sinfo
sinfo -h -o %T | grep -q idle || { echo "the node does not become idle; see $WORK/slurmd.log"; exit 1; }

JOB=$(sbatch --parsable --array=1-3 --output="$WORK/task.%a.log" array.sbatch)
echo "submitted array $JOB"
for _ in $(seq 300); do
    [ -e "$OUT/h.1.safetensors.resume" ] && [ -e "$OUT/h.2.safetensors.resume" ] && break
    sleep 0.2
done
sleep 3
squeue -r
end() {  # SIGNAL NUMBER: send a signal to the processes of a task of the array, and wait until it has failed
    local id
    id=$(squeue -r -h -j "${JOB}_$2" -o %A)
    echo "SIG$1 to task $2, job $id"
    scontrol listpids "$id" | awk 'NR > 1 && $1 > 0 {print $1}' | xargs -r kill -"$1"
    for _ in $(seq 50); do
        scontrol show job "$id" | grep -q JobState=FAILED && break
        sleep 0.2
    done
    scontrol show job "$id" | grep -oE 'JobState=\S+|ExitCode=\S+'
}
end TERM 1  # as when its time runs out: it writes its state
end KILL 2  # as when its machine fails: what it did since its last state is lost
ls -l "$OUT"
echo "missing: $($STRAG merge --missing "$OUT"/h.?.safetensors*)"
scontrol requeue "${JOB}_1,${JOB}_2"
for _ in $(seq 300); do
    [ -z "$(squeue -h -j "$JOB" 2> /dev/null)" ] && break
    sleep 1
done
scontrol show job "$JOB" | grep -oE 'ArrayTaskId=\S+|JobState=\S+|Restarts=\S+' || true
for log in "$WORK"/task.?.log; do
    echo "$log:"
    cat "$log"
done
$STRAG merge "$OUT"/h.?.safetensors -o "$OUT/h.safetensors"
$STRAG train "$DATA" $TRAIN -q -o "$OUT/whole.safetensors"
cmp "$OUT/h.safetensors" "$OUT/whole.safetensors" && echo "the merged parts are the bytes of one job"
