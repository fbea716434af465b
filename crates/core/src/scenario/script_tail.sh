
# what the programs wrote, and what packet sockets held
sleep 4
if [ -s log ]; then
	cat log
else
	echo "$scenario: no program wrote a line" >&2
fi
[ ! -s taps ] || cat taps
