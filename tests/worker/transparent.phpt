--TEST--
The callback and the program around it see what they would see without opa
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/transparent.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$worker = <<<'PHP'
<?php
final class Handler
{
	public function __invoke(string $a): void { $this->seen('__invoke', func_get_args()); }
	public function method(string $a): void { $this->seen('method', func_get_args()); }
	public static function of_class(string $a): void { (new self)->seen('static', func_get_args()); }
	public function __call(string $name, array $arguments): void { $this->seen("__call $name", $arguments); }
	private function hidden(string $a): void { $this->seen('hidden', func_get_args()); }
	public function run(): bool { return frankenphp_handle_request([$this, 'hidden']); }
	private function seen(string $what, array $arguments): void
	{
		echo $what, ' ', json_encode($arguments), "\n";
		foreach (debug_backtrace() as $i => $frame) {
			if ($i > 0) {
				echo "  {$frame['function']} ", isset($frame['line']) ? 'line' : 'internal', ' ',
					json_encode(array_map(fn ($a) => is_object($a) ? $a::class : (is_array($a) ? array_map(fn ($p) => is_object($p) ? $p::class : $p, $a) : $a), $frame['args'])), "\n";
			}
		}
	}
}
function by_reference(string &$argument): void { $argument .= ' changed'; echo "$argument\n"; }
function &returns_reference(): string { static $text = 'a reference'; return $text; }

$handler = new Handler;
foreach ([$handler, [$handler, 'method'], 'Handler::of_class', ['Handler', 'of_class'], [$handler, 'magic'], $handler->method(...), 'strtoupper', 'by_reference', 'returns_reference'] as $callback) {
	frankenphp_handle_request($callback);
}
$handler->run();
frankenphp_handle_request(callback: fn () => 'by name');
$count = 0;
call_user_func('frankenphp_handle_request', function () use (&$count): Generator { $count++; yield 1; });
spl_autoload_register(function (string $class): void { throw new LogicException("no $class"); });
foreach ([fn () => frankenphp_handle_request('no_such_function'), fn () => frankenphp_handle_request(), fn () => frankenphp_handle_request(1, 2), fn () => frankenphp_handle_request('Unknown::f')] as $wrong) {
	try {
		$wrong();
	} catch (Throwable $e) {
		echo $e::class, ': ', $e->getMessage(), "\n";
	}
}
$object = new stdClass;
$weak = WeakReference::create($object);
frankenphp_handle_request(function () use ($object): void { });
unset($object);
echo json_encode([$weak->get() === null, $count]), "\n";
frankenphp_handle_request(function (): void {
	try {
		(function (): void { throw new Exception('thrown and caught'); })();
	} catch (Exception $e) {
		echo preg_replace('~\S*/script\.php~', 'script.php', $e->getTraceAsString()), "\n";
	}
});
PHP;
$requests = ['14 GET /'];
$path = '~\S*/run\d/script\.php~';
$run = opa_test_worker($worker, $requests);
$disabled = opa_test_worker($worker, $requests, ['ini' => ['opa.enabled' => '0']]);
putenv('TEST_PHP_EXTRA_ARGS=-n'); // without opa
$without = opa_test_worker($worker, $requests);
foreach ([$run, $disabled, $without] as $one) {
	show('run', $one['exit'], $one['signal'], count($one['traces']), preg_replace($path, '', $one['out']) === preg_replace($path, '', $run['out']));
}
echo preg_replace(['~<200>\n~', $path], ['', 'script.php'], $run['out']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
run 0 0 15 true
run 0 0 0 true
run 0 0 0 true
__invoke ["an argument"]
  __invoke internal ["an argument"]
  frankenphp_handle_request line ["Handler"]
method ["an argument"]
  method internal ["an argument"]
  frankenphp_handle_request line [["Handler","method"]]
static ["an argument"]
  of_class internal ["an argument"]
  frankenphp_handle_request line ["Handler::of_class"]
static ["an argument"]
  of_class internal ["an argument"]
  frankenphp_handle_request line [["Handler","of_class"]]
__call magic ["an argument"]
  __call internal ["magic",["an argument"]]
  frankenphp_handle_request line [["Handler","magic"]]
method ["an argument"]
  method internal ["an argument"]
  frankenphp_handle_request line ["Closure"]
the callback returned AN ARGUMENT

Warning: by_reference(): Argument #1 ($argument) must be passed by reference, value given in script.php on line 26
an argument changed
hidden ["an argument"]
  hidden internal ["an argument"]
  frankenphp_handle_request line [["Handler","hidden"]]
  run line []
the callback returned by name
TypeError: frankenphp_handle_request(): Argument #1 ($callback) must be a valid callback, function "no_such_function" not found or invalid function name
ArgumentCountError: frankenphp_handle_request() expects exactly 1 argument, 0 given
ArgumentCountError: frankenphp_handle_request() expects exactly 1 argument, 2 given
LogicException: no Unknown
[true,0]
#0 script.php(47): {closure%S}()
#1 [internal function]: {closure%S}('an argument')
#2 script.php(45): frankenphp_handle_request(Object(Closure))
#3 {main}
