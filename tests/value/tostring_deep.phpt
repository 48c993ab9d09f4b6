--TEST--
A __toString that adds tags whose values have a __toString, without end, does not use up the C stack
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_deep.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

final class Deep
{
	public static int $calls = 0;
	public static int $added = 0;

	public function __toString(): string
	{
		global $span;
		$call = ++self::$calls;
		self::$added += opa_add_tag($span, $call === 256 ? 'innermost' : 'k', new self());
		return "text of $call";
	}
}

$span = opa_start_span('deep');
show('first', opa_add_tag($span, 'outermost', new Deep()), Deep::$calls, Deep::$added);
show('again', opa_add_tags($span, ['outermost' => new Deep()]), Deep::$calls, Deep::$added);
opa_end_span($span);
show('tags', opa_test_span('deep')['tags']);
show('cut', opa_status()['counters']['values_cut']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
first true 256 256
again true 512 512
tags {"innermost":"Deep","k":"text of 258","outermost":"text of 257"}
cut 2
