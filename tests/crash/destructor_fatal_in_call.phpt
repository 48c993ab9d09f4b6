--TEST--
A fatal error in a destructor that runs inside a call leaves no memory behind
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (getenv('SKIP_ASAN') || getenv('USE_ZEND_ALLOC') === '0') die('skip under these tools freed memory is kept for a while');
if (!is_readable('/proc/self/statm')) die('skip no /proc');
?>
--INI--
opa.spool_dir={PWD}/destructor_fatal_in_call.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer(<<<'PHP'
<?php
class Fatal {
	public function __toString(): string { return 'text'; }
	public function __destruct() { trigger_error('enough', E_USER_ERROR); }
}
class Drops {
	public function __construct(private mixed &$held) {}
	public function __toString(): string { $this->held = null; return 'dropped'; }
}
echo 'pages=', explode(' ', file_get_contents('/proc/self/statm'))[1], ';';
$held = new Fatal();
opa_add_tags(opa_root_span(), ['held' => &$held, 'drops' => new Drops($held)] + array_fill(0, 60, str_repeat('x', 16000)));
echo 'not reached';
PHP);
$pages = [];
for ($i = 0; $i < 60; $i++) {
	preg_match('/pages=(\d+);/', $answer = $server->send('/'), $m);
	$pages[] = (int) $m[1];
	str_contains($answer, 'not reached') && print("went on\n");
}
show('grown by less than 8 MB', $pages[59] - $pages[9] < 2048);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
grown by less than 8 MB true
