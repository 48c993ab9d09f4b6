--TEST--
Ids that the session or a file kept from an earlier request of the same process mean nothing
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (!extension_loaded('session')) die('skip needs session');
?>
--INI--
opa.spool_dir={PWD}/id_of_earlier_request.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer(<<<'PHP'
<?php
$file = __DIR__ . '/ids';
session_save_path(__DIR__);
session_id('kept');
session_start(['use_cookies' => 0, 'cache_limiter' => '']);
if ($_GET['n'] === '1') {
	// One that is open at the end, one that is not, the root span.
	$ended = opa_start_span('ended in the first');
	opa_end_span($ended);
	$ids = ['open' => opa_start_span('first'), 'ended' => $ended, 'root' => opa_root_span(), 'pid' => getmypid()];
	$_SESSION['ids'] = $ids;
	file_put_contents($file, json_encode($ids));
	exit;
}
$own = opa_start_span('own', ['mine' => true]);
$answers = [];
foreach (['session' => $_SESSION['ids'], 'file' => json_decode(file_get_contents($file), true)] as $from => $ids) {
	$answers['same process'] = $ids['pid'] === getmypid();
	unset($ids['pid']);
	foreach ($ids as $what => $id) {
		$answers["$from $what"] = [
			opa_add_tag($id, 'foreign', 1), opa_add_tags($id, ['foreign' => 1]), opa_add_event($id, 'foreign'),
			opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'), opa_set_name($id, 'foreign'),
			opa_set_status($id, OPA_STATUS_ERROR, 'foreign'), opa_record_exception($id, new Exception('foreign')),
			opa_set_parent($id, $own), opa_set_parent($own, $id), opa_end_span($id),
			opa_current_span() === $own,
		];
	}
}
// Under what is not known a span hangs where it would without.
opa_end_span(opa_start_span('child', [], $_SESSION['ids']['open']));
opa_end_span($own);
echo json_encode($answers, JSON_PRETTY_PRINT);
PHP);

$first = $server->trace('/?n=1');
$answer = $server->send('/?n=2');
$answers = json_decode(substr($answer, strpos($answer, "\r\n\r\n") + 4), true);
foreach ($answers as $what => $results) {
	show($what, $results);
}
$spans = $server->spans(6);
foreach ($spans as $span) {
	$tags = array_filter($span['tags'], static fn (string $key): bool => !preg_match('/^(?!opa)\w+\./', $key), ARRAY_FILTER_USE_KEY);
	show($span['trace'] === $first['trace'] ? 'first' : 'second', $span['name'], $tags, $span['status'], count($span['events']),
		count($span['links']), array_search($span['parent'], array_column($spans, 'id', 'name')));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
same process true
session open [false,false,false,false,false,false,false,false,false,false,true]
session ended [false,false,false,false,false,false,false,false,false,false,true]
session root [false,false,false,false,false,false,false,false,false,false,true]
file open [false,false,false,false,false,false,false,false,false,false,true]
file ended [false,false,false,false,false,false,false,false,false,false,true]
file root [false,false,false,false,false,false,false,false,false,false,true]
first "GET" [] 0 0 0 false
first "ended in the first" [] 0 0 0 false
first "first" {"opa.unfinished":true} 0 0 0 false
second "GET" [] 0 0 0 false
second "own" {"mine":true} 0 0 0 "GET"
second "child" [] 0 0 0 "own"
