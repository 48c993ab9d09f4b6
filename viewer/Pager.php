<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The program that shows long output a screen at a time: $PAGER, else less. */
final class Pager
{
	/** @var ?resource */
	private $process = null;

	/** @param string $command a shell's line */
	private function __construct(
		private readonly string $command,
		private readonly Environment $env,
		public readonly int $rows,
	) {
	}

	/** Null where there is none, none is wanted, or the terminal's height is not known. */
	public static function find(Environment $env): ?self
	{
		$command = trim($env->variables['PAGER'] ?? 'less');
		$rows = $env->terminalSize()[0];
		if (in_array($command, ['', 'cat'], true) || $rows < 2 || $env->get('TERM') === 'dumb') {
			return null;
		}
		return $command !== 'less' || $env->finds('less') ? new self($command, $env, $rows) : null;
	}

	/** @return ?resource what is to be shown is written here; null when it could not be started */
	public function start()
	{
		$variables = $this->env->variables + ['LESS' => 'RFX'];
		$process = @proc_open(['/bin/sh', '-c', $this->command],
			[['pipe', 'r'], STDOUT, STDERR], $pipes, null, $variables);
		if ($process === false) {
			return null;
		}
		if (function_exists('pcntl_signal')) {
			pcntl_signal(SIGINT, SIG_IGN); // Ctrl-C is the pager's, it has the terminal now
		}
		$this->process = $process;
		return $pipes[0];
	}

	/** Until the user has read. */
	public function wait(): void
	{
		if ($this->process !== null) {
			proc_close($this->process);
			$this->process = null;
		}
	}
}
