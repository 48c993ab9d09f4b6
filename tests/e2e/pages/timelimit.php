<?php

require __DIR__ . '/common.php';

open_spans(1);
set_time_limit(1);
for ($id = '';;) {
	$id = hash('sha256', $id . str_repeat('x', 10000));
}
