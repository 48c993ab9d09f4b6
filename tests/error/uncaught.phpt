--TEST--
An uncaught exception marks the root span, with its class, message and trace without arguments
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/uncaught.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$quiet = ['ini' => ['display_errors' => '0', 'log_errors' => '0']];
foreach (['plain' => 'throw new DomainException("boom");', 'error' => 'nothing();',
	'arguments' => 'function f($a) { throw new Exception("in f"); } f("topsecret");',
	'chain' => 'throw new Exception("outer", 0, new LogicException("inner"));',
	'anonymous' => 'throw new class("anon") extends Exception {};',
	'NUL' => 'throw new Exception("a\0b");',
	'in a fiber' => '(new Fiber(function () { throw new Exception("fiber"); }))->start();',
	'in a destructor' => 'class D { function __destruct() { throw new Exception("destructor"); } } $d = new D();',
	'in a callback' => 'ob_start(function ($b) { throw new Exception("callback"); }); echo 1;',
	'in a shutdown function' => 'register_shutdown_function(function () { throw new Exception("shutdown"); });',
	'overridden' => 'class O extends Exception { function __toString(): string { return "own text"; } } throw new O("overridden");',
	'throwing' => 'class T extends Exception { function __toString(): string { throw new LogicException("second"); } }
throw new T("first");'] as $what => $code) {
	$run = opa_test_run("<?php\n\$s = opa_start_span('open');\n$code\n", $quiet);
	$root = opa_test_root($run);
	show($what, $run['exit'], $run['signal'], $root['status'], $root['message'], $root['tags']['error.type'], $root['tags']['code.line.number'] ?? 0,
		array_map(static fn ($e) => $e['tags']['exception.type'] . ': ' . $e['tags']['exception.message'], $root['events']));
	if (str_contains(json_encode($run['spans']), 'topsecret')) {
		echo "an argument\n";
	}
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
plain 255 0 2 "boom" "DomainException" 3 ["DomainException: boom"]
error 255 0 2 "Call to undefined function nothing()" "Error" 3 ["Error: Call to undefined function nothing()"]
arguments 255 0 2 "in f" "Exception" 3 ["Exception: in f"]
chain 255 0 2 "outer" "Exception" 3 ["Exception: outer"]
anonymous 255 0 2 "anon" "Exception@anonymous" 3 ["Exception@anonymous: anon"]
NUL 255 0 2 "a\u0000b" "Exception" 3 ["Exception: a\u0000b"]
in a fiber 255 0 2 "fiber" "Exception" 3 ["Exception: fiber"]
in a destructor 255 0 2 "destructor" "Exception" 3 ["Exception: destructor"]
in a callback 255 0 2 "callback" "Exception" 3 ["Exception: callback"]
in a shutdown function 255 0 2 "shutdown" "Exception" 3 ["Exception: shutdown"]
overridden 255 0 2 "overridden" "O" 3 ["O: overridden"]
throwing 255 0 2 "second" "LogicException" 3 ["LogicException: second"]
