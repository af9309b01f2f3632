{#- A model's schema is what dbt_project.yml says, without the target's in front: the database tells the environments apart. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
