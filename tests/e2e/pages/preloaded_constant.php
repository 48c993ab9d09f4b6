<?php

require __DIR__ . '/common.php';

echo class_exists('Preloaded') ? Preloaded::X : 'no';
