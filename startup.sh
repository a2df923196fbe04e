#!/bin/sh
# Submits the gender job to the cluster and follows it until its driver runs and its application has registered.
# Called again it says that the job runs already, and where; of two at once the second waits for the first.
#
# usage: docker exec spark-master sh /root/startup.sh [BROKERS [GROUP] TOPIC [CHECKPOINT]]
#   BROKERS     Kafka, as the workers see it (broker:19092)
#   GROUP       the prefix of the names of Spark's consumer groups
#   TOPIC       the records to count (sex)
#   CHECKPOINT  a URI or an absolute path that all workers share; it may also be the only argument. (In HDFS where
#               the cluster has it, else on the volume /spark/work)
#
# On the host it does that `docker exec` itself.
set -eu

if [ ! -e /etc/tally-image ]; then
	exec docker exec spark-master sh /root/startup.sh "$@"
fi

usage() {
	sed -n 's/^# \{0,1\}//; /^usage/,/^$/p' "$0" >&2
	exit 2
}

# The last argument, where it is a checkpoint: it has a scheme or begins with a slash.
checkpoint=
for last; do :; done
case ${last-} in
/*) checkpoint=file://$last ;;
*://*) checkpoint=$last ;;
-*) usage ;;
esac
count=$#
[ -z "$checkpoint" ] || count=$((count - 1))

brokers=${TALLY_JOB_BOOTSTRAP_SERVERS:-broker:19092} group='' topic=''
case $count in
0) ;;
2) brokers=$1 topic=$2 ;;
3) brokers=$1 group=$2 topic=$3 ;;
*) usage ;;
esac

checkpoint=${checkpoint:-${CHECKPOINTS:-file:///spark/work/check}/gender/${topic:-sex}}

# One at a time, over all the containers that share this folder.
exec 9>/spark/work/.startup.lock
flock 9
exec tally submit --supervise --unless-running --wait-running --job-bootstrap-servers "$brokers" \
	${group:+--group "$group"} ${topic:+--topic "$topic"} --checkpoint "$checkpoint" gender
