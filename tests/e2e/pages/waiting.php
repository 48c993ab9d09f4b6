<?php

// Holds its worker until ?n of them are busy with this page.

require __DIR__ . '/common.php';

$id = span('waiting');
touch("$_GET[until]-" . getmypid());
if (count(glob("$_GET[until]-*")) >= (int) $_GET['n']) {
	touch($_GET['until']);
}
for ($i = 0; $i < 1000 && !is_file($_GET['until']); $i++) {
	usleep(10_000);
	clearstatcache();
}
opa_end_span($id);
echo 'waiting';
