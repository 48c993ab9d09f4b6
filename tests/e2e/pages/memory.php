<?php

require __DIR__ . '/common.php';

open_spans(5);
ini_set('memory_limit', '6M');
$text = 'x';
while (true) {
	$text .= str_repeat($text, 2);
	$all[] = $text;
}
