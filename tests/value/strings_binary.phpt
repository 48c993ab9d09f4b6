--TEST--
Bytes that are not UTF-8 are replaced by U+FFFD, the rest stays
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/strings_binary.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(null, ['latin' => "caf\xe9", 'cut' => "\xe2\x82", 'surrogate' => "\xed\xa0\x80",
	'overlong' => "\xc0\xaf", 'too high' => "\xf4\x90\x80\x80", 'NUL' => "a\0b", 'good' => "\u{1F600}é", "k\xff" => 1]);
foreach ($span['tags'] as $key => $value) {
	show($key, $value, (bool) preg_match('//u', (string) $value));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
latin "caf�" true
cut "�" true
surrogate "���" true
overlong "��" true
too high "����" true
NUL "a\u0000b" true
good "😀é" true
k� 1 true
