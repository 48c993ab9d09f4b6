CREATE TABLE products (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	cents INTEGER NOT NULL,
	stock INTEGER NOT NULL
);
CREATE TABLE orders (
	id INTEGER PRIMARY KEY,
	created INTEGER NOT NULL,
	cents INTEGER NOT NULL,
	payment TEXT NOT NULL
);
CREATE TABLE order_items (
	order_id INTEGER NOT NULL REFERENCES orders (id),
	product_id INTEGER NOT NULL REFERENCES products (id),
	quantity INTEGER NOT NULL,
	PRIMARY KEY (order_id, product_id)
);
INSERT INTO products (name, description, cents, stock) VALUES
	('Ash tray table', 'Solid ash, oiled, folds flat behind a door.', 14900, 12),
	('Desk lamp', 'One joint, one switch, a warm bulb that can be replaced.', 6900, 40),
	('Enamel mug', 'Survives the campfire and the dishwasher.', 1400, 250),
	('Linen apron', 'Two pockets, one of them for a towel.', 3900, 31),
	('Oak stool', 'Three legs, so it never wobbles.', 8900, 8),
	('Paper notebook', '160 pages, sewn, lies open by itself.', 1200, 400),
	('Pepper mill', 'Steel burr, adjustable from dust to gravel.', 4500, 22),
	('Wall clock', 'Silent movement, numbers one can read from the sofa.', 5900, 17),
	('Wool blanket', 'From sheep to sofa within 200 kilometres.', 11900, 9),
	('Grand piano', 'Delivery to the ground floor included.', 2490000, 1);
