<?php

require __DIR__ . '/common.php';

$id = span('slow');
usleep(100_000);
opa_end_span($id);
echo 'slow';
