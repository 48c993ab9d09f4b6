--TEST--
A user's session write handler that runs after the extension's request shutdown may use every function
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/session_write_handler_late.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

// The engine calls the handler when it ends the session, after every extension's request shutdown:
// a tag that is written then must go into the span, not into freed memory.
$run = opa_test_run(<<<'PHP'
<?php
class Handler implements SessionHandlerInterface {
	public string $open = '';
	public function open(string $path, string $name): bool { return true; }
	public function close(): bool { opa_add_tag($this->open, 'close', true); return true; }
	public function read(string $id): string|false { return ''; }
	public function write(string $id, string $data): bool {
		echo json_encode([
			opa_add_tag($this->open, 'late', 'tag'),
			opa_add_event($this->open, 'late event', ['x' => [1, 2]]),
			opa_end_span($span = opa_start_span('late span', ['a' => 'b'])),
			opa_add_tag($span, 'ended', 1),
			opa_current_span() === $this->open,
			opa_track_error(new Exception('late')),
			opa_trace('late trace', fn () => 7),
		]), "\n";
		opa_dump($this);
		return true;
	}
	public function destroy(string $id): bool { return true; }
	public function gc(int $max): int|false { return 0; }
}
$handler = new Handler();
session_set_save_handler($handler, false);
session_start();
$_SESSION['x'] = 1;
$handler->open = opa_start_span('open');
PHP, ['ini' => ['session.use_cookies' => '0', 'session.cache_limiter' => '']]);
show('exit', $run['exit'], $run['signal']);
echo $run['out'];
$open = opa_test_span('open', $run['spans']);
show('tags', $open['tags']);
show('events', array_column($open['events'], 'name'));
show('late span below it', opa_test_span('late span', $run['spans'])['parent'] === $open['id']);
show('late trace below it', opa_test_span('late trace', $run['spans'])['parent'] === $open['id']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
[true,true,true,false,true,true,7]
tags {"late":"tag","close":true,"opa.unfinished":true}
events ["late event","exception","dump"]
late span below it true
late trace below it true
