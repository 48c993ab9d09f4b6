<?php

// Answers with the status of ?status, whatever the method.

require __DIR__ . '/common.php';

http_response_code((int) ($_GET['status'] ?? 200));
echo 'answer';
