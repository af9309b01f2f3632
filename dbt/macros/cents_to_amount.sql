{#- Cents as an amount with two decimals, exactly. -#}
{% macro cents_to_amount(column) -%}
  CAST({{ column }} / 100 AS NUMBER(16, 2))
{%- endmacro %}
