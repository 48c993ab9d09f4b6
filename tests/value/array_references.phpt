--TEST--
References in tags are looked through and left as they are
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/array_references.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$int = 5;
$text = 'text';
$null = null;
$tags = ['int' => &$int, 'text' => &$text, 'null' => &$null, 'list' => [&$int, &$text]];
show('tags', opa_test_record(null, $tags)['tags']);
$int = 6;
show('still references', $tags['int'], $tags['list'][0]);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"int":5,"text":"text","list":[5,"text"]}
still references 6 6
