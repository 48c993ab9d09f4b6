--TEST--
Each request of a FrankenPHP worker has a trace of its own, and so has the worker's start
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/requests.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$run = opa_test_worker(<<<'PHP'
<?php
opa_end_span(opa_start_span('boot work'));
$kept = opa_root_span();
$handler = function (string $argument) use (&$kept): string {
	$span = opa_start_span('work', ['n' => $_GET['n'] ?? null, 'earlier' => opa_add_tag($kept, 'late', 1)]);
	$kept = opa_root_span();
	http_response_code((int) ($_GET['status'] ?? 200));
	echo "answer to {$_SERVER['REQUEST_URI']}\n";
	opa_end_span($span);
	return "$argument back";
};
while (frankenphp_handle_request($handler)) {
}
echo json_encode(['at the end', opa_add_tag($kept, 'late', 1), opa_is_enabled(), opa_enable(), opa_start_span('late')]), "\n";
PHP, [
	['GET /first?n=1', 'HTTP_HOST=example.test:8443', 'HTTPS=on', 'HTTP_USER_AGENT=a browser'],
	['POST /second?n=2&status=404', 'HTTP_TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'HTTP_TRACESTATE=v=1'],
	'GET /third?n=3&status=500',
]);
show('exit', $run['exit'], $run['signal']);
echo $run['out'], implode("\n", $run['traces']), "\n";
$roots = array_values(array_filter($run['spans'], fn ($s) => $s['name'] !== 'work' && $s['name'] !== 'boot work'));
show('kinds', ...array_column($roots, 'kind'));
show('traces', count(array_unique(array_column($run['spans'], 'trace'))), $roots[2]['trace'], $roots[2]['parent'], $roots[2]['state'] ?? '');
unset($roots[1]['tags']['php.cpu.time'], $roots[1]['tags']['php.memory.peak']);
show('first', $roots[1]['tags']);
$boot = $roots[0]['tags'];
show('boot', array_keys($boot), basename($boot['process.command']), $roots[0]['kind']);
show('earlier ids', array_column(array_column(array_filter($run['spans'], fn ($s) => $s['name'] === 'work'), 'tags'), 'earlier'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
<200>
answer to /first?n=1
the callback returned an argument back
<404>
answer to /second?n=2&status=404
the callback returned an argument back
<500>
answer to /third?n=3&status=500
the callback returned an argument back
<200>
["at the end",false,false,false,"0000000000000000"]
script.php(boot work)
GET /first 200(work)
POST /second 404(work)
GET /third 500 failed(work)
kinds 1 2 2 2
traces 4 "0af7651916cd43dd8448eb211c80319c" "b7ad6b7169203331" "v=1"
first {"http.request.method":"GET","url.scheme":"https","url.path":"/first","url.query":"n=1","server.address":"example.test","server.port":8443,"client.address":"192.0.2.1","network.peer.address":"192.0.2.1","user_agent.original":"a browser","network.protocol.version":"1.1","http.response.status_code":200}
boot ["process.executable.name","process.command","php.cpu.time","php.memory.peak","process.exit.code"] "script.php" 1
earlier ids [false,false,false]
