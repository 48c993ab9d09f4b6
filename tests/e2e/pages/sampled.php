<?php

require __DIR__ . '/common.php';

$time = microtime(true);
opa_end_span(span('work'));
echo json_encode(opa_propagation_headers() + ['recorded' => opa_is_enabled(), 'time' => $time]);
