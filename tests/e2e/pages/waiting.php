<?php

// Holds its worker until the test has all of them busy.

require __DIR__ . '/common.php';

$id = span('waiting');
for ($i = 0; $i < 1000 && !is_file($_GET['until']); $i++) {
	usleep(10_000);
	clearstatcache();
}
opa_end_span($id);
echo 'waiting';
