<?php
declare(strict_types=1);

namespace Shop;

/** Shows templates/<name>.php inside the layout. */
final class View
{
	public function show(string $template, array $values): void
	{
		Trace::span("render $template", function () use ($template, $values): void {
			$content = self::render($template, $values);
			echo self::render('layout', ['title' => $values['title'], 'content' => $content]);
		});
	}

	private static function render(string $template, array $values): string
	{
		$e = static fn (string|int $text): string => htmlspecialchars((string) $text, ENT_QUOTES);
		$money = static fn (int $cents): string => '€ ' . number_format($cents / 100, 2);
		extract($values, EXTR_SKIP);
		ob_start();
		require dirname(__DIR__) . "/templates/$template.php";
		return ob_get_clean();
	}
}
