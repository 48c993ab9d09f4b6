--TEST--
opa.response_header=1: an answer names its trace in traceresponse and Server-Timing, also one that is not recorded
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/response_header.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

function headers(OpaTestServer $server, string ...$headers): string
{
	preg_match_all('/^(traceresponse|server-timing):.*$/mi', $server->send('/', 'GET', $headers), $found);
	return implode(' ', array_map(trim(...), $found[0]));
}

$code = '<?php header("Server-Timing: db;dur=5", false);';
$server = new OpaTestServer($code, ['opa.response_header' => '1']);
$said = headers($server);
[$root] = $server->spans(1);
echo str_replace([$root['trace'], $root['id']], ['T', 'S'], $said), "\n";
echo preg_replace('/-[0-9a-f]{16}-/', '-S-', headers($server,
	'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00')), "\n";
unset($server);
$server = new OpaTestServer($code);
echo headers($server), "\n";
unset($server);
$server = new OpaTestServer($code, ['opa.response_header' => '1', 'opa.enabled' => '0']);
echo headers($server), "\n";
show('script', opa_test_run('<?php echo count(headers_list());', ['ini' => ['opa.response_header' => '1']])['out']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
traceresponse: 00-T-S-03 Server-Timing: traceparent;desc="00-T-S-03" Server-Timing: db;dur=5
traceresponse: 00-0af7651916cd43dd8448eb211c80319c-S-00 Server-Timing: traceparent;desc="00-0af7651916cd43dd8448eb211c80319c-S-00" Server-Timing: db;dur=5
Server-Timing: db;dur=5
Server-Timing: db;dur=5
script "0"
