<?php

require __DIR__ . '/common.php';

// PHP-FPM has no pcntl where that is a part of the command line's PHP. The C library has the same.
$libc = FFI::cdef('int fork(void); int waitpid(int, int *, int);');

$open = span('open in both');
$inner = span('inner');
$pid = $libc->fork();
if ($pid === 0) {
	$wrong = opa_add_tag($open, 'child', true) || opa_end_span($inner) || opa_set_name($open, 'of the child');
	opa_end_span(span('in the child'));
	open_spans(2);
	opa_flush(0);
	// It must not become a worker that FPM does not know. The signal says what it has seen.
	posix_kill(getmypid(), $wrong ? 15 : 9);
}
$status = FFI::new('int');
do {
	// A signal of FPM's may interrupt it.
	$waited = $libc->waitpid($pid, FFI::addr($status), 0);
} while ($waited === -1 && $pid > 0);
if ($waited !== $pid || ($status->cdata & 127) !== 9) {
	http_response_code(599);
	echo "waitpid: $waited, fork: $pid, status: $status->cdata ";
}
opa_add_tag($open, 'parent', true);
opa_end_span($inner);
opa_end_span($open);
echo 'fork';
