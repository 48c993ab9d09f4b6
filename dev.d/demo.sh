# shellcheck shell=bash
# ./dev demo: the example shop, traced, from nothing to a waterfall in the terminal.

demo() {
	need_php_extensions cli sqlite3
	build_variant normal
	local dir=$root/build/demo port server status=0
	rm -rf "$dir"
	mkdir -p "$dir/spool" "$dir/store" "$dir/shop"
	port=$(free_port)
	ext_args pdo pdo_sqlite posix
	demo_ini=(-n "${ext_args[@]}" -d "extension=$built/modules/opa.so"
		-d "opa.spool_dir=$dir/spool" -d "opa.store_path=$dir/store" -d opa.service_name=shop)

	# A process group of its own: the server's workers outlive the server that is killed.
	SHOP_DATA=$dir/shop PHP_CLI_SERVER_WORKERS=4 setsid "$php" "${demo_ini[@]}" \
		-d display_errors=0 -d log_errors=1 -S "127.0.0.1:$port" \
		-t examples/shop/public examples/shop/public/index.php >"$dir/server.log" 2>&1 </dev/null &
	server=$!
	# shellcheck disable=SC2064
	trap "demo_stop $server '$dir'" EXIT
	trap 'exit 130' INT TERM
	wait_for_port "$port" "$server" || {
		cat "$dir/server.log" >&2
		die 'the shop did not start'
	}
	say "The shop runs under PHP $($php_config --version); some visitors come:"
	"$php" -n tests/tools/shop_visit.php "http://127.0.0.1:$port" || status=1

	demo_stop "$server" "$dir"
	trap - EXIT
	# What the exporter had not brought in when it was told to leave.
	"$built/modules/opa-exporter" --spool "$dir/spool" --once || status=1
	[ $status -eq 0 ] || die 'the shop or opa-exporter failed (build/demo/server.log)'
	demo_show "$dir"
}

demo_stop() {
	kill -- "-$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
	stop_exporters "$2"
}

free_port() {
	"$php" -n -r '$s = stream_socket_server("tcp://127.0.0.1:0");
		echo parse_url("tcp://" . stream_socket_get_name($s, false), PHP_URL_PORT);'
}

wait_for_port() {
	local port=$1 server=$2 tries
	for ((tries = 0; tries < 100; tries++)); do
		kill -0 "$server" 2>/dev/null || return 1
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			return 0
		fi
		sleep 0.1
	done
	return 1
}

# The viewer as a user would call it, told which PHP, exporter, spool and store are meant.
demo_opa() {
	OPA_PHP=$(command -v "$php") OPA_EXPORTER=$built/modules/opa-exporter bin/opa "$@" --no-import
}

demo_show() {
	local store=$1/store trace
	echo
	echo "\$ opa list"
	demo_opa list --store "$store"
	# The checkout with the most to see.
	trace=$(demo_opa list --store "$store" --name 'POST /checkout' --json |
		"$php" -n -r '$traces = array_map("json_decode", file("php://stdin"));
			array_multisort(array_column($traces, "spans"), SORT_DESC, $traces);
			echo $traces[0]->trace_id;') || die 'no checkout was traced'
	echo
	echo "\$ opa show $trace"
	demo_opa show --store "$store" "$trace"
	cat <<-END

	The traces are in ${store#"$root/"} (SQLite). Look further:
	  bin/opa list --store build/demo/store --error
	  bin/opa stats --store build/demo/store
	  bin/opa sql --store build/demo/store 'SELECT name, count(*) FROM spans GROUP BY name'
	The shop itself, to walk around in:
	  cd examples/shop && PHP_CLI_SERVER_WORKERS=4 $php -d extension=$built/modules/opa.so \\
	    -S 127.0.0.1:8080 -t public public/index.php
	END
}
