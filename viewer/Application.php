<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** From the command line to a command and its exit code. */
final class Application
{
	public const VERSION = '0.1.0';

	/** @var array<string, class-string<Command>> */
	private const COMMANDS = [
		'list' => ListCommand::class,
		'show' => ShowCommand::class,
		'tail' => TailCommand::class,
		'stats' => StatsCommand::class,
		'status' => StatusCommand::class,
		'sql' => SqlCommand::class,
		'doctor' => DoctorCommand::class,
		'send' => SendCommand::class,
	];

	private ?Output $out = null;

	public function __construct(private readonly Environment $env)
	{
	}

	/** @param list<string> $argv without the program's name */
	public function run(array $argv): int
	{
		$err = Output::open(STDERR, $this->env, 'auto');
		$name = null;
		try {
			(new Impersonation($this->env))->complete();
			$err = Output::open(STDERR, $this->env, 'auto');
			[$name, $argv] = $this->split($argv);
			$code = $this->dispatch($name, $argv);
			$this->out?->finish();
			return $code;
		} catch (ClosedPipe) {
			$this->finishQuietly();
			return 0;
		} catch (UsageError $e) {
			$help = $name === null ? 'opa --help' : "opa $name --help";
			return $this->fail($err, 2, $e->getMessage(), "See '$help'.");
		} catch (Problem $e) {
			return $this->fail($err, 1, $e->getMessage(), $e->hint);
		} catch (\Throwable $e) {
			$where = basename($e->getFile()) . ':' . $e->getLine();
			return $this->fail($err, 1, "internal error at $where: " . $e->getMessage(),
				'This is a defect of opa: please report it with the command that you typed.');
		}
	}

	/**
	 * Options that every command has; they may stand in front of the command, too.
	 * @return list<Option>
	 */
	public static function globalOptions(): array
	{
		return [
			new Option('store', 'PATH', 'read this store: traces.db, or the directory that it is in'),
			new Option('spool', 'PATH', 'bring in what waits in this spool only, and read its store'),
			new Option('user', 'NAME', "read this user's traces (root; or members of opa.store_group)"),
			new Option('no-import', '', 'read the store as it is, bring nothing in'),
			new Option('no-pager', '', 'long output, too, straight to the terminal, not by $PAGER or less'),
			new Option('color', 'WHEN', 'auto (default), always or never; NO_COLOR is honoured'),
			new Option('help', '', 'this text', false, 'h'),
		];
	}

	public static function versionOption(): Option
	{
		return new Option('version', '', 'the version', false, 'V');
	}

	/**
	 * The command's name, and its own words with the options that stood in front of it.
	 * @param list<string> $argv
	 * @return array{?string, list<string>}
	 */
	private function split(array $argv): array
	{
		$before = [];
		$known = array_merge(self::globalOptions(), [self::versionOption()]);
		while ($argv !== [] && str_starts_with($argv[0], '-')) {
			$word = array_shift($argv);
			$before[] = $word;
			foreach ($known as $option) {
				if ($word === "--$option->name" && $option->value !== '' && $argv !== []) {
					$before[] = array_shift($argv);
				}
			}
		}
		if ($argv === []) {
			return [null, $before];
		}
		$name = array_shift($argv);
		if ($name === 'help') {
			$name = array_shift($argv);
			return [$name === null ? null : $this->known($name), ['--help']];
		}
		return [$this->known($name), array_merge($before, $argv)];
	}

	private function known(string $name): string
	{
		if (isset(self::COMMANDS[$name])) {
			return $name;
		}
		$near = Options::nearest($name, array_keys(self::COMMANDS));
		throw new UsageError("unknown command '" . Text::safe($name) . "'"
			. ($near === null ? '' : ", did you mean '$near'?"));
	}

	/** @param list<string> $argv */
	private function dispatch(?string $name, array $argv): int
	{
		if ($name === null) {
			return $this->withoutCommand($argv);
		}
		$class = self::COMMANDS[$name];
		$spec = $class::spec();
		$options = Options::parse($argv, array_merge($spec->options, self::globalOptions()));
		$out = $this->output($options, !in_array($name, ['tail', 'send'], true) || $options->has('help'));
		if ($options->has('help')) {
			(new Help($out))->command($spec);
			return 0;
		}
		if (count($options->arguments) > $spec->maxArguments) {
			$extra = Text::safe($options->arguments[$spec->maxArguments]);
			throw new UsageError("'$extra' is one argument too many");
		}
		if (!extension_loaded('pdo_sqlite')) {
			throw new Problem('this PHP (' . PHP_BINARY . ') has no pdo_sqlite',
				"Install it (Debian: apt-get install php-sqlite3; Alpine: php-pdo_sqlite),\n"
				. 'or name a PHP that has it: OPA_PHP=/path/to/php');
		}
		$clock = new Clock($this->env->timeZone());
		$command = new $class($options, $clock);
		$err = Output::open(STDERR, $this->env, $this->color($options));
		$this->env->words = [$name, ...Options::shown($argv, $spec->options)];
		$context = new Context($out, $err, $this->env, new Sources($this->env, $options), $clock);
		$owner = $context->sources->otherOwner($context);
		if ($owner !== null) {
			$isFile = $name === 'sql' && $options->has('csv') && !$out->terminal;
			return (new Impersonation($this->env))->run($owner, $out, $err, $isFile);
		}
		return $command->run($context);
	}

	/** @param list<string> $argv */
	private function withoutCommand(array $argv): int
	{
		$options = Options::parse($argv, array_merge(self::globalOptions(), [self::versionOption()]));
		$out = $this->output($options, true);
		if ($options->has('version')) {
			$out->line('opa ' . self::VERSION . ' (PHP ' . PHP_VERSION . ')');
		} else {
			$specs = array_map(static fn (string $c): Spec => $c::spec(), array_values(self::COMMANDS));
			(new Help($out))->overview($specs);
		}
		return 0;
	}

	private function output(Options $options, bool $ends): Output
	{
		$this->out = Output::open(STDOUT, $this->env, $this->color($options));
		if ($ends && $this->out->terminal && $this->env->relay === null && !$options->has('no-pager')) {
			$pager = Pager::find($this->env);
			$pager === null ?: $this->out->page($pager);
		}
		return $this->out;
	}

	private function color(Options $options): string
	{
		return $options->oneOf('color', ['auto', 'always', 'never'], 'auto');
	}

	private function fail(Output $err, int $code, string $message, string $hint): int
	{
		try {
			$this->finishQuietly();
			$err->line($err->paint('error', 'opa: ') . Text::safe($message));
			foreach ($hint === '' ? [] : Text::lines($hint) as $line) {
				$err->line('  ' . $line);
			}
			$err->flush();
		} catch (ClosedPipe | Problem) {
			return $code;
		}
		return $code;
	}

	private function finishQuietly(): void
	{
		try {
			$this->out?->finish();
		} catch (ClosedPipe | Problem) {
			return; // there is something worse to be said
		}
	}
}
