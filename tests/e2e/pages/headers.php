<?php
require __DIR__ . '/common.php';
echo json_encode(opa_propagation_headers());
