--TEST--
A bad variable is one line in a server's log, none with opa.log_level=error; on the command line the log is the user's terminal, and has it for opa.log_level=debug only
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/log_level.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$env = ['OTEL_SDK_DISABLED' => 'perhaps', 'OTEL_SPAN_LINK_COUNT_LIMIT' => 'x'];
$log = ['log_errors' => '1', 'error_log' => '', 'display_errors' => '0'];
foreach (['off', 'error', 'warning', 'debug'] as $level) {
	$ini = $log + ['opa.log_level' => $level];
	$run = opa_test_run('<?php echo "done\n";', ['env' => $env, 'ini' => $ini]);
	echo "$level, a script:\n", preg_replace('/^\[[^]]*\] /m', '', $run['out']);
	$server = new OpaTestServer('<?php ini_set("opa.enabled", "off"); ini_set("opa.enabled", "on"); echo "done";', $ini, $env);
	for ($i = 0; $i < 3; $i++) {
		str_ends_with($server->send('/'), 'done') || print('no answer');
	}
	preg_match_all('/opa: (?!traces do not arrive).*/', $server->log(), $lines);
	echo "$level, three requests of a server:\n", implode("\n", $lines[0]), "\n";
	unset($server);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
off, a script:
done
off, three requests of a server:

error, a script:
done
error, three requests of a server:

warning, a script:
done
warning, three requests of a server:
opa: OTEL_SDK_DISABLED is ignored: "perhaps" is neither true nor false
opa: OTEL_SPAN_LINK_COUNT_LIMIT is ignored: "x" is not a whole number from 0 to 65535
debug, a script:
opa: OTEL_SDK_DISABLED is ignored: "perhaps" is neither true nor false
opa: OTEL_SPAN_LINK_COUNT_LIMIT is ignored: "x" is not a whole number from 0 to 65535
done
debug, three requests of a server:
opa: OTEL_SDK_DISABLED is ignored: "perhaps" is neither true nor false
opa: OTEL_SPAN_LINK_COUNT_LIMIT is ignored: "x" is not a whole number from 0 to 65535
