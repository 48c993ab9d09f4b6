<?php
declare(strict_types=1);

namespace Shop;

/** What a visitor wants to buy, in the session: product id => quantity. */
final class Cart
{
	public function __construct(private readonly Database $database)
	{
		if (session_status() !== PHP_SESSION_ACTIVE) {
			$directory = $database->directory . '/sessions';
			@mkdir($directory, 0700, true);
			Trace::span('session start', static fn (): bool => session_start([
				'save_path' => $directory,
				'cookie_httponly' => true,
				'cookie_samesite' => 'Lax',
				'use_strict_mode' => true,
			]));
		}
		$_SESSION['cart'] ??= [];
	}

	public function add(int $product, int $quantity): void
	{
		$present = $_SESSION['cart'][$product] ?? 0;
		$_SESSION['cart'][$product] = min(99, $present + max(1, $quantity));
		Trace::event('added to cart', ['product.id' => $product, 'quantity' => $quantity]);
	}

	/** @return list<array{id: int, name: string, cents: int, quantity: int}> */
	public function items(): array
	{
		$items = [];
		foreach ($_SESSION['cart'] as $id => $quantity) {
			$sql = 'SELECT id, name, cents FROM products WHERE id = ?';
			$product = $this->database->row('SELECT products', $sql, [$id]);
			if ($product !== null) {
				$items[] = $product + ['quantity' => $quantity];
			}
		}
		return $items;
	}

	public function clear(): void
	{
		$_SESSION['cart'] = [];
	}

	/** @param list<array{cents: int, quantity: int}> $items */
	public static function total(array $items): int
	{
		$cents = static fn (array $item): int => $item['cents'] * $item['quantity'];
		return array_sum(array_map($cents, $items));
	}
}
